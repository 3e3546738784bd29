//! Connections are reset at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Admission, Behaviour, CutAt, Effect, Place};
use crate::stream::Cut;

/// Ends open and new connections with RST on both sides. Bytes in flight are lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {}

struct ResetNow(Instant);

impl Behaviour for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn admit(&self, _since: Instant) -> Admission {
        Admission::End(Cut::Reset)
    }

    fn effect(&self, place: &Place) -> Option<Box<dyn Effect>> {
        Some(Box::new(ResetNow(place.since)))
    }
}

impl Effect for ResetNow {
    fn cut(&self) -> Option<CutAt> {
        Some(CutAt {
            at: self.0,
            how: Cut::Reset,
        })
    }
}
