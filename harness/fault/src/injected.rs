//! The faults that are injected into a proxy, and what they have touched.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::faults::{Direction, EffectContext, Fault, FaultEffect};
use crate::injection::{Injection, Trigger};

/// What a fault has touched so far: the proof of its effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Connections.
    pub connections: u64,
    /// Pieces of bytes, and ends of streams.
    pub chunks: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Whether a fault acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultState {
    /// Its trigger has not been seen.
    Waiting,
    /// It acts.
    Active,
    /// It was healed or its time was over.
    Removed,
}

/// A fault of a proxy, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultStatus {
    /// The fault.
    pub fault: Fault,
    /// Whether it acts.
    pub state: FaultState,
    /// What it has touched.
    pub touched: Touched,
}

/// An injected fault, shared by all connections.
#[derive(Debug)]
pub(crate) struct Injected {
    pub(crate) id: u64,
    pub(crate) injection: Injection,
    active_since: OnceLock<Instant>,
    removed: AtomicBool,
    /// The connections before the injection.
    connections_before: u64,
    requests: AtomicU64,
    /// A number that the effects of this fault share.
    count: Arc<AtomicU64>,
    connections: AtomicU64,
    chunks: AtomicU64,
    bytes: AtomicU64,
    /// The places at which it is at work.
    pub(crate) places: AtomicUsize,
    timers: Mutex<Vec<AbortHandle>>,
}

impl Injected {
    pub(crate) fn is_active(&self) -> bool {
        self.active_since.get().is_some()
    }

    pub(crate) fn status(&self) -> FaultStatus {
        let state = match (self.removed.load(Ordering::Acquire), self.is_active()) {
            (true, _) => FaultState::Removed,
            (false, true) => FaultState::Active,
            (false, false) => FaultState::Waiting,
        };
        FaultStatus {
            fault: self.injection.fault.clone(),
            state,
            touched: self.touched(),
        }
    }

    pub(crate) fn touched(&self) -> Touched {
        Touched {
            connections: self.connections.load(Ordering::Relaxed),
            chunks: self.chunks.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn touch_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn touch_chunk(&self, bytes: usize) {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether it acts on a connection at all; the same answer each time.
    pub(crate) fn acts_on(&self, connection: u64) -> bool {
        let chosen = match self.injection.trigger {
            Trigger::FromConnection(first) => connection >= self.connections_before + first,
            Trigger::Always
            | Trigger::AfterMs(_)
            | Trigger::AfterBytes(_)
            | Trigger::FromRequest(_)
            | Trigger::OnEvent => true,
        };
        // A draw is below 1: a probability of 0 never acts and one of 1 always does.
        let draw = || StdRng::seed_from_u64(self.seed_of(connection, 0)).random::<f64>();
        self.is_active() && chosen && draw() < self.injection.probability
    }

    /// The bytes that a connection must have carried before it acts.
    pub(crate) fn first_byte(&self) -> u64 {
        match self.injection.trigger {
            Trigger::AfterBytes(bytes) => bytes,
            Trigger::Always
            | Trigger::AfterMs(_)
            | Trigger::FromConnection(_)
            | Trigger::FromRequest(_)
            | Trigger::OnEvent => 0,
        }
    }

    /// Whether it becomes active with a request that has not come yet.
    pub(crate) fn waits_for_request(&self) -> bool {
        matches!(self.injection.trigger, Trigger::FromRequest(_)) && !self.is_active()
    }

    /// Counts a request; returns whether it is the one that the trigger waits for.
    pub(crate) fn counts_request(&self) -> bool {
        let Trigger::FromRequest(first) = self.injection.trigger else {
            return false;
        };
        self.requests.fetch_add(1, Ordering::AcqRel) + 1 >= first
    }

    /// Its effect on one direction of a connection.
    pub(crate) fn effect(&self, connection: u64, flow: Direction) -> Option<Box<dyn FaultEffect>> {
        let since = *self.active_since.get()?;
        let stream = if flow == Direction::ToUpstream { 1 } else { 2 };
        self.injection.fault.behaviour().effect(&EffectContext {
            direction: flow,
            since,
            seed: self.seed_of(connection, stream),
            count: Arc::clone(&self.count),
        })
    }

    pub(crate) fn active_since(&self) -> Option<Instant> {
        self.active_since.get().copied()
    }

    /// A seed per connection and use, spread by multiplication with an odd number.
    fn seed_of(&self, connection: u64, stream: u64) -> u64 {
        let place = (connection * 4 + stream).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.injection.seed ^ place
    }

    fn timers(&self) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The injected faults of a proxy; every change is announced to its connections.
#[derive(Debug)]
pub(crate) struct FaultSet {
    faults: watch::Sender<Vec<Arc<Injected>>>,
    next_id: AtomicU64,
    runtime: Handle,
}

impl FaultSet {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            faults: watch::Sender::new(Vec::new()),
            next_id: AtomicU64::new(0),
            runtime,
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<Arc<Injected>>> {
        self.faults.subscribe()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Injected>> {
        self.faults.borrow().clone()
    }

    pub(crate) fn insert(
        self: &Arc<Self>,
        injection: Injection,
        connections_before: u64,
    ) -> Arc<Injected> {
        let injected = Arc::new(Injected {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            injection,
            active_since: OnceLock::new(),
            removed: AtomicBool::new(false),
            connections_before,
            requests: AtomicU64::new(0),
            count: Arc::default(),
            connections: AtomicU64::new(0),
            chunks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            places: AtomicUsize::new(0),
            timers: Mutex::default(),
        });
        self.faults
            .send_modify(|faults| faults.push(Arc::clone(&injected)));
        match injected.injection.trigger {
            Trigger::Always | Trigger::AfterBytes(_) | Trigger::FromConnection(_) => {
                self.activate(&injected);
            }
            Trigger::AfterMs(time) => self.later(&injected, time, Self::activate),
            Trigger::FromRequest(_) | Trigger::OnEvent => {}
        }
        injected
    }

    pub(crate) fn activate(self: &Arc<Self>, injected: &Arc<Injected>) {
        if injected.active_since.set(Instant::now()).is_err() {
            return;
        }
        self.faults.send_modify(|_| {});
        if let Some(time) = injected.injection.time_to_live_ms {
            self.later(injected, time, Self::remove);
        }
    }

    pub(crate) fn remove(self: &Arc<Self>, injected: &Arc<Injected>) {
        injected.removed.store(true, Ordering::Release);
        self.faults.send_if_modified(|faults| {
            let before = faults.len();
            faults.retain(|each| each.id != injected.id);
            faults.len() < before
        });
        for timer in injected.timers().drain(..) {
            timer.abort();
        }
    }

    fn later(self: &Arc<Self>, injected: &Arc<Injected>, time: u64, act: Act) {
        let (set, fault) = (Arc::clone(self), Arc::clone(injected));
        let timer = self.runtime.spawn(async move {
            // The trigger or the time to live of the fault, which it was injected with.
            tokio::time::sleep(Duration::from_millis(time)).await;
            act(&set, &fault);
        });
        injected.timers().push(timer.abort_handle());
    }
}

/// A change of an injected fault.
type Act = fn(&Arc<FaultSet>, &Arc<Injected>);
