//! Bytes arrive later, with or without jitter.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::behaviour::LONGEST_MS;
use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Flow, Piece};

/// Delays what flows in `direction`, counted from its arrival: delays do not add up over a
/// stream, and the bandwidth stays what it was, as long as at most 64 MB are delayed at a time.
/// Bytes stay in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The direction; with `both`, a request and its reply are delayed once each.
    #[serde(default)]
    pub direction: Direction,
    /// Milliseconds: 0 to a day.
    pub delay_ms: u64,
    /// A delay differs from `delay_ms` by at most this many milliseconds, at random and
    /// uniformly: 0 to a day. It is never negative.
    #[serde(default)]
    pub jitter_ms: u64,
}

struct Later {
    delay: Duration,
    jitter: Duration,
    random: StdRng,
}

impl Behaviour for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "delay_ms", self.delay_ms, 0..=LONGEST_MS)?;
        FaultError::check(self.name(), "jitter_ms", self.jitter_ms, 0..=LONGEST_MS)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        self.direction.includes(place.direction).then(|| {
            Box::new(Later {
                delay: Duration::from_millis(self.delay_ms),
                jitter: Duration::from_millis(self.jitter_ms),
                random: place.random(),
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for Later {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        let range = Duration::ZERO..=2 * self.jitter;
        let drawn = self.delay + self.random.random_range(range);
        flow.hold(piece, drawn.saturating_sub(self.jitter));
    }
}
