//! Connections are accepted, but nothing is forwarded and nothing is answered.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::behaviour::LONGEST_MS;
use super::{Admission, Behaviour, CutAt, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Cut, Flow, Piece};

/// Forwards nothing in `direction`. What was held is delivered, in order, when the fault is healed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Blackhole {
    /// The direction.
    pub direction: Direction,
    /// Discards the bytes instead of holding them.
    pub discard: bool,
    /// Closes a connection this many milliseconds after the fault has reached it: 1 to a day.
    pub close_after_ms: Option<u64>,
}

struct Swallow {
    discard: bool,
    close_at: Option<Instant>,
    /// In the far future once something is held: more need not be read.
    reads_from: Option<Instant>,
}

impl Behaviour for Blackhole {
    fn name(&self) -> &'static str {
        "blackhole"
    }

    fn check(&self) -> Result<(), FaultError> {
        let after = self.close_after_ms.unwrap_or(1);
        FaultError::check(self.name(), "close_after_ms", after, 1..=LONGEST_MS)
    }

    fn admit(&self, _since: Instant) -> Admission {
        let forwards = self.direction == Direction::FromUpstream || self.close_after_ms.is_some();
        if forwards || self.discard {
            Admission::Forward
        } else {
            Admission::Hold
        }
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let after = self.close_after_ms.map(Duration::from_millis);
        self.direction.includes(place.direction).then(|| {
            Box::new(Swallow {
                discard: self.discard,
                close_at: after.map(|after| Instant::now() + after),
                reads_from: None,
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for Swallow {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        if self.discard && piece.is_bytes() {
            return flow.discard(piece);
        }
        self.reads_from = Some(flow.now() + Duration::from_millis(LONGEST_MS));
        flow.hold_until_healed(piece);
    }

    fn cut(&self) -> Option<CutAt> {
        let how = Cut::Close;
        self.close_at.map(|at| CutAt { at, how })
    }

    fn reads_from(&self) -> Option<Instant> {
        self.reads_from
    }
}
