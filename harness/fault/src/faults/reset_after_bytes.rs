//! Connections are reset after a number of bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Cut, Flow, Piece};

/// Forwards the first bytes in `direction`, then ends both sides with RST.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetAfterBytes {
    /// The direction; with `both`, the first that has carried the bytes.
    #[serde(default)]
    pub direction: Direction,
    /// Bytes: 0 to 10^15, counted from when the fault reaches the connection. RST may discard
    /// those that the receiver has not read.
    pub bytes: u64,
}

impl Behaviour for ResetAfterBytes {
    fn name(&self) -> &'static str {
        "reset_after_bytes"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "bytes", self.bytes, 0..=1_000_000_000_000_000)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let applies = self.direction.includes(place.direction);
        applies.then(|| Box::new(AfterBytes::new(self.bytes, Cut::Reset)) as Box<dyn FaultEffect>)
    }
}

/// Forwards a number of bytes, then ends the connection.
pub(super) struct AfterBytes {
    left: u64,
    how: Cut,
}

impl AfterBytes {
    pub(super) fn new(left: u64, how: Cut) -> Self {
        Self { left, how }
    }
}

impl FaultEffect for AfterBytes {
    fn shape(&mut self, mut piece: Piece, flow: &mut Flow<'_>) {
        let size = piece.len() as u64;
        if piece.is_end() || size < self.left {
            self.left -= size;
            return flow.pass(piece);
        }
        let allowed = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.left = 0;
        flow.pass(piece.split_off_first(allowed).unwrap_or(piece));
        flow.cut(self.how);
    }
}
