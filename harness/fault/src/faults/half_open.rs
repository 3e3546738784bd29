//! The dependency has closed a connection, but the system does not learn it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Direction, EffectContext, FaultEffect};
use crate::stream::{Flow, Piece};

/// Passes neither FIN nor RST of the dependency on until the fault is healed. What the system
/// sends to a dependency that has gone is discarded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpen {}

struct HideClose(Direction);

impl Behaviour for HalfOpen {
    fn name(&self) -> &'static str {
        "half_open"
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        Some(Box::new(HideClose(place.direction)))
    }
}

impl FaultEffect for HideClose {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        if piece.is_end() && self.0 == Direction::FromUpstream {
            flow.hold_until_healed(piece);
        } else {
            flow.pass(piece);
        }
    }

    fn hides_close(&self) -> bool {
        self.0 == Direction::ToUpstream
    }
}
