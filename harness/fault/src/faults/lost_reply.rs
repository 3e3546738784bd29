//! A request reaches the dependency, but its reply never arrives.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Behaviour, CutAt, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Cut, Flow, Piece};

/// Forwards what the system sends, discards what the dependency answers, and then resets the
/// connection: the dependency has done what it was asked for, and the system cannot know it.
/// A trigger lets the handshake of a protocol pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LostReply {
    /// The reply is over when nothing has come for this many milliseconds: 1 to
    /// 60000. Below 50, a delayed acknowledgement may look like its end.
    pub quiet_ms: u64,
}

impl Default for LostReply {
    fn default() -> Self {
        Self { quiet_ms: 100 }
    }
}

struct DiscardReply {
    quiet: Duration,
    over_at: Option<Instant>,
}

impl Behaviour for LostReply {
    fn name(&self) -> &'static str {
        "lost_reply"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "quiet_ms", self.quiet_ms, 1..=60_000)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        (place.direction == Direction::FromUpstream).then(|| {
            Box::new(DiscardReply {
                quiet: Duration::from_millis(self.quiet_ms),
                over_at: None,
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for DiscardReply {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        if piece.is_end() {
            return flow.cut(Cut::Reset);
        }
        self.over_at = Some(flow.now() + self.quiet);
        flow.discard(piece);
    }

    fn cut(&self) -> Option<CutAt> {
        let how = Cut::Reset;
        self.over_at.map(|at| CutAt { at, how })
    }
}
