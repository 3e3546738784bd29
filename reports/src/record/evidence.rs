//! Evidence: one observation, recorded when it is made.

use serde::{Deserialize, Serialize};

/// One observation of the system under test or its surroundings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// An HTTP request and its response.
    Http(HttpExchange),
    /// An SQL query and its rows.
    Sql(SqlQuery),
    /// A wait for a condition.
    Wait(Wait),
    /// Any other observation: the counters of a stand-in, log lines, the state of a process.
    Observed(Observation),
}

/// An HTTP request and its response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpExchange {
    /// The interface that was called: `api`, `storage`, `stand-ins`.
    pub surface: String,
    /// The request method.
    pub method: String,
    /// The request URL.
    pub url: String,
    /// The request headers, with secrets masked.
    pub request_headers: Vec<(String, String)>,
    /// The request body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<BodyExcerpt>,
    /// The id sent as `X-Request-Id`.
    pub correlation_id: String,
    /// The response status, if there was a response.
    pub status: Option<u16>,
    /// The response headers.
    pub response_headers: Vec<(String, String)>,
    /// The response body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<BodyExcerpt>,
    /// Why the response is missing or incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The time from the first byte sent to the last byte received, in milliseconds.
    pub elapsed_ms: f64,
    /// The command that repeats the request, with secrets masked.
    pub curl: String,
}

/// The beginning of a message body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyExcerpt {
    /// The length of the whole body.
    pub bytes: u64,
    /// The beginning of the body as text, or its hash if it is binary.
    pub text: String,
    /// Whether the body is longer than `text`.
    pub truncated: bool,
}

/// An SQL query and its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SqlQuery {
    /// The statement.
    pub sql: String,
    /// Its parameters, as text.
    pub parameters: Vec<String>,
    /// The number of rows.
    pub row_count: u64,
    /// The first rows, each as a JSON object.
    pub rows: Vec<serde_json::Value>,
    /// Why the query failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its duration in milliseconds.
    pub elapsed_ms: f64,
}

/// A wait for a condition, with a deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The condition.
    pub what: String,
    /// The duration of the wait in milliseconds.
    pub elapsed_ms: f64,
    /// The number of polls.
    pub attempts: u32,
    /// Whether the condition became true.
    pub satisfied: bool,
    /// The last state that was observed.
    pub last: String,
}

impl Wait {
    /// The last state of a wait that ended because a poll stopped the check.
    pub const STOPPED: &'static str = "the poll returned an error";

    /// Whether a poll stopped the check, so that the observation before the wait deviates.
    pub fn was_stopped(&self) -> bool {
        !self.satisfied && self.last == Self::STOPPED
    }
}

impl Observation {
    /// The surface of what a fault scenario observes about itself: the fault, and how the system recovered.
    pub const SCENARIO: &'static str = "scenario";

    /// The surface of the timeline of a fault scenario.
    pub const TIMELINE: &'static str = "timeline";

    /// The surface of what the system used and did during a load.
    pub const RESOURCES: &'static str = "resources";

    /// The surface of a measured value.
    pub const MEASUREMENT: &'static str = "measurement";
}

/// Any other observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The object of the observation.
    pub surface: String,
    /// The observation in words.
    pub summary: String,
    /// The observation as data.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub value: serde_json::Value,
}
