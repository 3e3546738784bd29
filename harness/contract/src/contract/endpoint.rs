//! The endpoints of the pipeline: what they are called here, and where a target has them.

use std::fmt;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An endpoint that the contract knows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Registers a document.
    Upload,
    /// Shows a job.
    Job,
    /// Lists the caller's jobs.
    Jobs,
    /// Tries a failed job again.
    Retry,
    /// Shows a document.
    Document,
    /// Removes a document and everything made of it.
    DeleteDocument,
    /// Finds chunks by meaning.
    Search,
    /// Shows the limits in force.
    Limits,
    /// Takes the parser's callback.
    Callback,
    /// Says that the process lives.
    Health,
    /// Says that the service can work.
    Ready,
    /// Says what is running.
    Version,
    /// Shows counters for Prometheus.
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

    /// Whether it answers only to a tenant.
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

/// Where a target has an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its method.
    #[serde(with = "Verb")]
    pub method: Method,
    /// Its path, with places: `{prefix}`, `{webhook_prefix}`, `{job_id}`, `{document_id}`.
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
    /// Its lack is a defect.
    Required,
    /// What needs it does not apply where it lacks.
    Optional,
    /// It is not asked for.
    Absent,
}

/// How a method is written in a file: `#[serde(with = "Verb")]`.
struct Verb;

impl Verb {
    fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom(format!("'{text}' is no HTTP method")))
    }

    fn serialize<S: serde::Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(method.as_str())
    }
}

impl JsonSchema for Verb {
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
    fn an_endpoint_is_called_the_same_everywhere() {
        for endpoint in Endpoint::ALL {
            assert_eq!(serde_json::to_value(endpoint).unwrap(), endpoint.name());
        }
    }
}
