//! Response headers, and the part of a provider's answer that the error of a failed job contains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parts of responses in which pipelines may differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responses {
    /// Whether a 401 names the bearer scheme in `WWW-Authenticate`.
    pub challenge: bool,
    /// Whether a refusal above a limit of a user has `Retry-After`.
    pub retry_after: bool,
    /// Whether health, readiness, version and metrics have `Cache-Control: no-store`.
    pub probes_no_store: bool,
    /// The part of a provider's answer that the error of a failed job contains.
    pub cause: QuotedCause,
}

/// The part of a provider's answer that the error of a failed job contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuotedCause {
    /// The provider's text, and the status of its response.
    ProviderText,
    /// The status of its response, and no text of the provider.
    ProviderStatus,
    /// Neither: the error has words of the pipeline only.
    OwnWords,
}

impl QuotedCause {
    /// Whether the error contains the provider's text.
    pub fn has_text(self) -> bool {
        self == Self::ProviderText
    }

    /// Whether the error contains the status of the provider's response.
    pub fn has_status(self) -> bool {
        self != Self::OwnWords
    }
}
