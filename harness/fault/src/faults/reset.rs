//! Connections are reset, at once or after a time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::behaviour::LONGEST_MS;
use super::{Admission, Behaviour, CutAt, EffectContext, FaultEffect, FaultError};
use crate::stream::Cut;

/// Ends open and new connections with RST on both sides. Bytes in flight are lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Milliseconds after the fault has reached a connection: 0 to a day.
    #[serde(default)]
    pub after_ms: u64,
}

struct ResetAt(Instant);

impl Behaviour for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "after_ms", self.after_ms, 0..=LONGEST_MS)
    }

    fn admit(&self, _since: Instant) -> Admission {
        if self.after_ms == 0 {
            Admission::End(Cut::Reset)
        } else {
            Admission::Forward
        }
    }

    fn effect(&self, _place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let at = Instant::now() + Duration::from_millis(self.after_ms);
        Some(Box::new(ResetAt(at)))
    }
}

impl FaultEffect for ResetAt {
    fn cut(&self) -> Option<CutAt> {
        let how = Cut::Reset;
        Some(CutAt { at: self.0, how })
    }
}
