//! Connections are closed after a number of bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reset_after_bytes::AfterBytes;
use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::Cut;

/// Forwards the first bytes in `direction`, then ends both sides with FIN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAfterBytes {
    /// The direction; with `both`, the first that has carried the bytes.
    #[serde(default)]
    pub direction: Direction,
    /// Bytes: 0 to 10^15, counted from when the fault reaches the connection.
    pub bytes: u64,
}

impl Behaviour for CloseAfterBytes {
    fn name(&self) -> &'static str {
        "close_after_bytes"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "bytes", self.bytes, 0..=1_000_000_000_000_000)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let applies = self.direction.includes(place.direction);
        applies.then(|| Box::new(AfterBytes::new(self.bytes, Cut::Close)) as Box<dyn FaultEffect>)
    }
}
