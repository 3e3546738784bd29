//! The requests that the stand-ins received, in order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The requests to one stand-in, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calls<C> {
    /// The requests.
    pub calls: Vec<C>,
}

/// A submission to the parser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParserCall {
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The id that the parser gave it, if it accepted it.
    #[serde(default)]
    pub id: Option<String>,
    /// The last path segment of its callback URL, which is the job id.
    pub job: Option<String>,
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
    /// The file's length.
    pub bytes: u64,
    /// The text fields of the form.
    pub fields: BTreeMap<String, String>,
    /// The `Content-Type` of the file part.
    pub file_content_type: Option<String>,
    /// Whether the correct key was sent.
    pub authorized: bool,
    /// The response status; 0 if there is no response.
    pub answered: u16,
    /// The text extracted from the file.
    pub text: Option<String>,
    /// The callbacks for it.
    pub callbacks: Vec<CallbackSent>,
}

/// A callback that the parser sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackSent {
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The URL.
    pub url: String,
    /// Its body.
    pub body: String,
    /// Its signature.
    pub signature: Option<String>,
    /// The response status; `None` if the delivery failed.
    pub answered: Option<u16>,
    /// The response body, or the delivery error.
    pub answer: String,
    /// The response time, in milliseconds.
    pub elapsed_ms: f64,
}

/// A request to the embedder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbedderCall {
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The requested model.
    pub model: String,
    /// The requested encoding.
    pub encoding_format: Option<String>,
    /// Its inputs.
    pub inputs: Vec<String>,
    /// Whether the correct key was sent.
    pub authorized: bool,
    /// The response status; 0 if there is no response.
    pub answered: u16,
}

/// A request to storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageCall {
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The method.
    pub method: String,
    /// The path below `/storage/v1`.
    pub path: String,
    /// Bucket and key of the object, as one path.
    pub object: String,
    /// Whether an `apikey` header was sent.
    pub has_apikey: bool,
    /// Whether an `Authorization` header was sent.
    pub has_authorization: bool,
    /// Whether it has the token of a signed URL.
    pub signed: bool,
    /// The response status; 0 if there is no response.
    pub answered: u16,
}
