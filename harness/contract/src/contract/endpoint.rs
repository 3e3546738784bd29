//! The endpoints of the pipeline, and the routes of a target.

use std::fmt;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An endpoint of the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Registers a document.
    Upload,
    /// Reads a job.
    Job,
    /// Lists the caller's jobs.
    Jobs,
    /// Retries a failed job.
    Retry,
    /// Reads a document.
    Document,
    /// Deletes a document and everything derived from it.
    DeleteDocument,
    /// Searches chunks.
    Search,
    /// Reads the current limits.
    Limits,
    /// Receives the parser's callback.
    Callback,
    /// Liveness of the process.
    Health,
    /// Readiness of the service.
    Ready,
    /// The running version.
    Version,
    /// Prometheus metrics.
    Metrics,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 13] = [
        Self::Upload,
        Self::Job,
        Self::Jobs,
        Self::Retry,
        Self::Document,
        Self::DeleteDocument,
        Self::Search,
        Self::Limits,
        Self::Callback,
        Self::Health,
        Self::Ready,
        Self::Version,
        Self::Metrics,
    ];

    /// Its name in a contract file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Job => "job",
            Self::Jobs => "jobs",
            Self::Retry => "retry",
            Self::Document => "document",
            Self::DeleteDocument => "delete_document",
            Self::Search => "search",
            Self::Limits => "limits",
            Self::Callback => "callback",
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Version => "version",
            Self::Metrics => "metrics",
        }
    }

    /// Whether it requires a tenant's token.
    pub fn needs_token(self) -> bool {
        match self {
            Self::Upload
            | Self::Job
            | Self::Jobs
            | Self::Retry
            | Self::Document
            | Self::DeleteDocument
            | Self::Search
            | Self::Limits => true,
            Self::Callback | Self::Health | Self::Ready | Self::Version | Self::Metrics => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The route of an endpoint on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its method.
    #[serde(with = "MethodText")]
    pub method: Method,
    /// Its path, with placeholders: `{prefix}`, `{webhook_prefix}`, `{job_id}`, `{document_id}`.
    pub path: String,
    /// Whether the target must have it.
    pub presence: Presence,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Whether a target must have an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Its absence is a defect.
    Required,
    /// Checks that require it are skipped if it is missing.
    Optional,
    /// It is never requested.
    Absent,
}

/// An HTTP method as text, for `#[serde(with = "MethodText")]`.
struct MethodText;

impl MethodText {
    fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom(format!("'{text}' is not an HTTP method")))
    }

    fn serialize<S: serde::Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(method.as_str())
    }
}

impl JsonSchema for MethodText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Method".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_the_same_name_in_files_and_messages() {
        for endpoint in Endpoint::ALL {
            assert_eq!(serde_json::to_value(endpoint).unwrap(), endpoint.name());
        }
    }
}
