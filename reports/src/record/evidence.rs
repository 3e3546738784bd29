//! One observation, recorded as it happened.

use serde::{Deserialize, Serialize};

/// One observation of a surface of the system under test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A request and what came back.
    Http(HttpExchange),
    /// A query and the rows it gave.
    Sql(SqlQuery),
    /// Something that was awaited.
    Wait(Wait),
    /// Anything else that was seen: a stand-in's counters, log lines, a process's state.
    Observed(Observation),
}

/// A request and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpExchange {
    /// Which surface was asked: `api`, `storage`, `stand-ins`.
    pub surface: String,
    /// The request's method.
    pub method: String,
    /// The request's address.
    pub url: String,
    /// The request's headers, secrets masked.
    pub request_headers: Vec<(String, String)>,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Body>,
    /// The id sent as `X-Request-Id`.
    pub correlation_id: String,
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// The answer's headers.
    pub response_headers: Vec<(String, String)>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Body>,
    /// Why no complete answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From the first byte sent to the last received, in milliseconds.
    pub elapsed_ms: f64,
    /// The command that repeats the request, secrets masked.
    pub curl: String,
}

/// The body of a message, cut to a readable length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The whole body's length.
    pub bytes: u64,
    /// The beginning of the body as text, or its hash where it is not text.
    pub text: String,
    /// Whether `text` is only the beginning.
    pub truncated: bool,
}

/// A query and the rows it gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SqlQuery {
    /// The statement.
    pub sql: String,
    /// Its parameters, as text.
    pub parameters: Vec<String>,
    /// How many rows it gave.
    pub row_count: u64,
    /// The first rows, each a JSON object.
    pub rows: Vec<serde_json::Value>,
    /// Why it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
}

/// Something that was awaited until a deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// What was awaited.
    pub what: String,
    /// How long, in milliseconds.
    pub elapsed_ms: f64,
    /// How often it was looked at.
    pub attempts: u32,
    /// Whether it came.
    pub satisfied: bool,
    /// What was seen last.
    pub last: String,
}

/// Anything else that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was looked at.
    pub surface: String,
    /// What was seen, for a person.
    pub summary: String,
    /// What was seen, for a program.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub value: serde_json::Value,
}
