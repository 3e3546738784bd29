//! Fewer bytes pass in a second.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Flow, Pace, Piece};

/// The pieces that are forwarded per second, so that a stream is slow and not intermittent.
const PIECES_PER_SECOND: u64 = 50;

/// Limits what flows in `direction`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// The direction; with `both`, each has the whole rate.
    #[serde(default)]
    pub direction: Direction,
    /// Bytes per second and connection: 1 to 10^12.
    pub bytes_per_second: u64,
}

struct Throttle {
    rate: u64,
    pace: Pace,
}

impl Behaviour for Bandwidth {
    fn name(&self) -> &'static str {
        "bandwidth"
    }

    fn check(&self) -> Result<(), FaultError> {
        let rate = self.bytes_per_second;
        FaultError::check(self.name(), "bytes_per_second", rate, 1..=1_000_000_000_000)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        self.direction.includes(place.direction).then(|| {
            Box::new(Throttle {
                rate: self.bytes_per_second,
                pace: Pace::default(),
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for Throttle {
    fn shape(&mut self, mut piece: Piece, flow: &mut Flow<'_>) {
        let size = usize::try_from(self.rate / PIECES_PER_SECOND).unwrap_or(usize::MAX);
        while let Some(first) = piece.split_off_first(size.max(1)) {
            self.forward(first, flow);
        }
        self.forward(piece, flow);
    }

    fn reads_from(&self) -> Option<Instant> {
        self.pace.reads_from()
    }
}

impl Throttle {
    fn forward(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        let nanoseconds = piece.len() as u64 * 1_000_000_000 / self.rate;
        let hold = self.pace.hold(&piece, Duration::from_nanos(nanoseconds));
        flow.hold(piece, hold);
    }
}
