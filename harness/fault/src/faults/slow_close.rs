//! The end of a stream arrives later.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::behaviour::LONGEST_MS;
use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Flow, Piece};

/// Delays the end of what flows in `direction`. Bytes are not delayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowClose {
    /// The direction.
    #[serde(default)]
    pub direction: Direction,
    /// Milliseconds: 0 to a day.
    pub delay_ms: u64,
}

struct DelayEnd(Duration);

impl Behaviour for SlowClose {
    fn name(&self) -> &'static str {
        "slow_close"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "delay_ms", self.delay_ms, 0..=LONGEST_MS)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let delay = Duration::from_millis(self.delay_ms);
        let applies = self.direction.includes(place.direction);
        applies.then(|| Box::new(DelayEnd(delay)) as Box<dyn FaultEffect>)
    }
}

impl FaultEffect for DelayEnd {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        if piece.is_end() {
            flow.hold(piece, self.0);
        } else {
            flow.pass(piece);
        }
    }
}
