//! The faults at work on one direction of one connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::connection::Connection;
use crate::faults::{CutAt, Direction, FaultEffect};
use crate::injected::Injected;
use crate::stream::{DelayLine, Flow, Piece};

/// A fault at work.
struct Slot {
    injected: Arc<Injected>,
    effect: Box<dyn FaultEffect>,
}

impl Slot {
    fn new(injected: &Arc<Injected>, effect: Box<dyn FaultEffect>) -> Self {
        injected.places.fetch_add(1, Ordering::AcqRel);
        let injected = Arc::clone(injected);
        Self { injected, effect }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.injected.places.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The faults at work, in the order of their injection.
pub(super) struct Slots<'a> {
    connection: &'a Connection,
    direction: Direction,
    active: Vec<Slot>,
    /// Faults that wait for a request.
    waiting: Vec<Arc<Injected>>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(connection: &'a Connection, direction: Direction) -> Self {
        Self {
            connection,
            direction,
            active: Vec::new(),
            waiting: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty() && self.waiting.is_empty()
    }

    /// Adds and removes faults as the proxy did; what a removed fault held is released.
    pub(super) fn update(&mut self, faults: &[Arc<Injected>], line: &mut DelayLine) {
        self.active.retain_mut(|slot| {
            let kept = faults.iter().any(|each| each.id == slot.injected.id);
            if !kept {
                line.release(slot.injected.id);
                let kept = slot.effect.kept();
                line.extend(kept.map(|content| Piece::new(content, Instant::now())));
            }
            kept
        });
        self.waiting = faults
            .iter()
            .filter(|fault| fault.waits_for_request())
            .cloned()
            .collect();
        for injected in faults {
            let known = self
                .active
                .iter()
                .any(|slot| slot.injected.id == injected.id);
            let number = self.connection.number;
            if !known
                && injected.acts_on(number)
                && let Some(effect) = injected.effect(number, self.direction)
            {
                self.active.push(Slot::new(injected, effect));
            }
        }
        self.active.sort_by_key(|slot| slot.injected.id);
    }

    /// The faults that become active with a new request.
    pub(super) fn triggered_by_request(&self) -> Vec<Arc<Injected>> {
        let waiting = self.waiting.iter();
        waiting
            .filter(|each| each.counts_request())
            .cloned()
            .collect()
    }

    /// Passes a piece by every fault, into the line. `before` are the bytes that the connection
    /// had carried when the piece arrived.
    pub(super) fn shape(&mut self, piece: Piece, before: u64, line: &mut DelayLine) {
        let mut pieces = vec![piece];
        let now = Instant::now();
        for slot in &mut self.active {
            let mut exempt = slot.injected.first_byte().saturating_sub(before);
            let mut out = Vec::new();
            for piece in pieces {
                let Some(piece) = pass_exempt(piece, &mut exempt, &mut out) else {
                    continue;
                };
                let size = piece.len();
                let id = slot.injected.id;
                let mut flow = Flow::new(id, now, &mut out, &self.connection.answers);
                slot.effect.shape(piece, &mut flow);
                if flow.has_acted() {
                    slot.injected.touch_chunk(size);
                    self.connection.touch(&slot.injected);
                }
            }
            pieces = out;
        }
        line.extend(pieces);
    }

    /// The first end of the connection that a fault asks for.
    pub(super) fn cut(&self) -> Option<(CutAt, &Arc<Injected>)> {
        let carried = self.connection.carried();
        let active = self.active.iter();
        active
            .filter(|slot| carried >= slot.injected.first_byte())
            .filter_map(|slot| Some((slot.effect.cut()?, &slot.injected)))
            .min_by_key(|(cut, _)| cut.at)
    }

    /// The time before which nothing is to be read.
    pub(super) fn reads_from(&self) -> Option<Instant> {
        self.active
            .iter()
            .filter_map(|slot| slot.effect.reads_from())
            .max()
    }

    pub(super) fn hides_close(&self) -> bool {
        self.active.iter().any(|slot| slot.effect.hides_close())
    }
}

/// Passes the first bytes, of which `exempt` are left, and returns the rest of the piece.
fn pass_exempt(mut piece: Piece, exempt: &mut u64, out: &mut Vec<Piece>) -> Option<Piece> {
    if *exempt == 0 {
        return Some(piece);
    }
    let size = usize::try_from(*exempt).unwrap_or(usize::MAX);
    *exempt = exempt.saturating_sub(piece.len() as u64);
    if let Some(first) = piece.split_off_first(size) {
        out.push(first);
        return Some(piece);
    }
    out.push(piece);
    None
}
