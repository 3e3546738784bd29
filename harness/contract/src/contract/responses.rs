//! What responses tell beside their bodies, and what the error of a failed job tells of its cause.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What responses tell, where pipelines may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responses {
    /// Whether a 401 names the bearer scheme in `WWW-Authenticate`.
    pub challenge: bool,
    /// Whether a refusal above a limit of a user has `Retry-After`.
    pub retry_after: bool,
    /// Whether health, readiness, version and metrics have `Cache-Control: no-store`.
    pub probes_no_store: bool,
    /// What the error of a failed job tells of a provider's answer.
    pub cause: Cause,
}

/// What the error of a failed job tells of a provider's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The provider's text, and the status of its response.
    ProviderText,
    /// The status of its response, and no text of the provider.
    ProviderStatus,
    /// Neither: the error has words of the pipeline only.
    OwnWords,
}

impl Cause {
    /// Whether the error contains the provider's text.
    pub fn has_text(self) -> bool {
        self == Self::ProviderText
    }

    /// Whether the error contains the status of the provider's response.
    pub fn has_status(self) -> bool {
        self != Self::OwnWords
    }
}
