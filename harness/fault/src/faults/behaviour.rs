//! The interface of a fault: its name, the ranges of its fields, and its effect on a connection.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::stream::{Content, Cut, Flow, Piece};

/// The longest time that a fault may be configured with, in milliseconds: one day.
pub(super) const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// A value of a fault that is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("inject fault '{fault}': {field} is {value}, must be {allowed}")]
pub struct FaultError {
    /// The name of the fault.
    pub fault: &'static str,
    /// The field with the value.
    pub field: &'static str,
    /// The value.
    pub value: String,
    /// The range that the field allows.
    pub allowed: String,
}

impl FaultError {
    /// An error unless `value` is in `allowed`.
    pub(crate) fn check<T: Copy + PartialOrd + Display>(
        fault: &'static str,
        field: &'static str,
        value: T,
        allowed: RangeInclusive<T>,
    ) -> Result<(), Self> {
        if allowed.contains(&value) {
            return Ok(());
        }
        Err(Self {
            fault,
            field,
            value: value.to_string(),
            allowed: format!("from {} to {}", allowed.start(), allowed.end()),
        })
    }
}

/// The direction of bytes that a fault affects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the system to its dependency.
    ToUpstream,
    /// From the dependency to the system.
    FromUpstream,
    /// Both, each on its own.
    #[default]
    Both,
}

impl Direction {
    /// Whether bytes that flow in the direction `flow` are affected.
    pub(crate) fn includes(self, flow: Self) -> bool {
        self == Self::Both || self == flow
    }
}

/// When and how a fault ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutAt {
    pub(crate) at: Instant,
    pub(crate) how: Cut,
}

/// What happens to a new connection, before the dependency is contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The dependency is contacted.
    Forward,
    /// The connection is kept and waits for a change of the faults.
    Hold,
    /// The connection is ended.
    End(Cut),
}

/// Where a fault applies: one direction of one connection.
#[derive(Debug)]
pub(crate) struct EffectContext {
    /// The direction in which the bytes flow; never `Both`.
    pub(crate) direction: Direction,
    /// When the fault became active.
    pub(crate) since: Instant,
    /// The seed of the fault for this connection and direction.
    pub(crate) seed: u64,
    /// A number that all connections of the link share.
    pub(crate) count: Arc<AtomicU64>,
}

impl EffectContext {
    pub(super) fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }
}

/// A fault as it is configured.
pub(crate) trait Behaviour {
    /// The name in files and errors.
    fn name(&self) -> &'static str;

    /// Whether all values are within their ranges.
    fn check(&self) -> Result<(), FaultError> {
        Ok(())
    }

    /// What happens to a new connection. `since` is when the fault became active.
    fn admit(&self, _since: Instant) -> Admission {
        Admission::Forward
    }

    /// What the fault does to bytes at a place; `None` if it does not affect that direction.
    fn effect(&self, _place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        None
    }
}

/// A fault at work on one direction of one connection. It never waits: it says what must wait.
pub(crate) trait FaultEffect: Send {
    /// Decides what happens to a piece that has arrived: bytes, or the end of the stream.
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        flow.pass(piece);
    }

    /// When the connection is to be ended. It is asked again after each piece and each wake.
    fn cut(&self) -> Option<CutAt> {
        None
    }

    /// The time before which nothing more is to be read: the sender then notices a full buffer.
    fn reads_from(&self) -> Option<Instant> {
        None
    }

    /// What was kept back and goes on when the fault is healed.
    fn kept(&mut self) -> Option<Content> {
        None
    }

    /// Whether this direction must not show that its receiver has gone.
    fn hides_close(&self) -> bool {
        false
    }
}
