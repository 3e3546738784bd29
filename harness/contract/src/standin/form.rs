//! The form of a response: what may differ between two answers that mean the same.

use serde::{Deserialize, Serialize};

/// The form of a stand-in's response. The default is the form that the stand-in's HTTP library gives.
///
/// A form changes no meaning: a client that reads HTTP and JSON as they are defined understands
/// each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a part of a form that is combined freely with the others"
)]
pub struct ResponseForm {
    /// Whether the answer is of HTTP/1.0.
    pub http_1_0: bool,
    /// The letters of the header names.
    pub header_case: HeaderCase,
    /// How the end of the body is marked.
    pub framing: Framing,
    /// Whether the connection is closed after the answer.
    pub close: bool,
    /// The number of pieces that the body is sent in; 0 and 1 mean one.
    pub pieces: u32,
    /// The pause before each piece, in milliseconds. With a pause the head is sent alone.
    pub pause_ms: u64,
    /// The layout of a JSON body.
    pub json: JsonLayout,
    /// Whether each object of a JSON body has fields that no document names.
    pub extra_fields: bool,
    /// Whether the answer has headers that no document names.
    pub extra_headers: bool,
    /// The `Content-Type`, if it differs from the usual one.
    pub content_type: Option<String>,
    /// The pause that the answer asks for before the next request.
    pub retry_after: Option<RetryAfter>,
}

impl ResponseForm {
    /// Whether the response is sent as the HTTP library writes it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The form of a callback: what may differ between two requests that mean the same. The default is the form that
/// the HTTP library gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackForm {
    /// Whether the request is of HTTP/1.0.
    pub http_1_0: bool,
    /// Whether header names are written as `Content-Type`, and not as `content-type`.
    pub title_case_headers: bool,
    /// The number of chunks that the body is sent in; 0 means a body with `Content-Length`.
    pub chunks: u32,
    /// The pause before each chunk, in milliseconds.
    pub pause_ms: u64,
    /// The layout of the JSON body.
    pub json: JsonLayout,
    /// Whether the request has headers, and each object of its body has fields, that no document names.
    pub extras: bool,
    /// The `Content-Type`, if it differs from `application/json`.
    pub content_type: Option<String>,
}

/// The letters of header names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderCase {
    /// `content-type`.
    #[default]
    Lower,
    /// `Content-Type`.
    Title,
    /// `CONTENT-TYPE`.
    Upper,
}

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// By `Content-Length`.
    #[default]
    Length,
    /// By chunks; not with HTTP/1.0, where the end of the connection tells it.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// The layout of a JSON body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonLayout {
    /// As the stand-in writes it.
    #[default]
    Usual,
    /// The fields of each object in the reverse order.
    Reversed,
    /// On many lines, with blanks.
    Spaced,
    /// Characters beyond ASCII, and slashes, are escaped.
    Escaped,
}

/// The pause that an answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `Retry-After` with a number of seconds.
    Seconds(u32),
    /// `Retry-After` with an HTTP date. The value is the delay in whole seconds.
    Date(u32),
    /// `retry-after-ms` with the delay in milliseconds, and `Retry-After` with the same delay in seconds, rounded up.
    Milliseconds(u32),
}
