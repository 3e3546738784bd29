//! Connections are closed when they are accepted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Admission, Behaviour};
use crate::stream::Cut;

/// Closes every new connection at once. Open connections go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {}

impl Behaviour for Refuse {
    fn name(&self) -> &'static str {
        "refuse"
    }

    fn admit(&self, _since: Instant) -> Admission {
        Admission::End(Cut::Close)
    }
}
