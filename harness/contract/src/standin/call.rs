//! What the stand-ins saw: the calls they received, in order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The calls of one kind, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calls<C> {
    /// The calls.
    pub calls: Vec<C>,
}

/// A submission to the parser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParserCall {
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The last path segment of its callback address: the job id.
    pub job: Option<String>,
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
    /// The file's length.
    pub bytes: u64,
    /// The form's text fields.
    pub fields: BTreeMap<String, String>,
    /// The `Content-Type` of the file part.
    pub file_content_type: Option<String>,
    /// Whether the right key was sent.
    pub authorized: bool,
    /// The status it was answered with; 0 while or when it is not answered.
    pub answered: u16,
    /// The text extracted from the file.
    pub text: Option<String>,
    /// The callbacks sent about it.
    pub callbacks: Vec<CallbackSent>,
}

/// A callback that the parser sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackSent {
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Where to.
    pub url: String,
    /// Its body.
    pub body: String,
    /// The signature it carried.
    pub signature: Option<String>,
    /// The status it was answered with; `None` when it could not be delivered.
    pub answered: Option<u16>,
    /// What came back, or why nothing did.
    pub answer: String,
    /// How long the answer took, in milliseconds.
    pub elapsed_ms: f64,
}

/// A call to the embedder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbedderCall {
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The model it asked for.
    pub model: String,
    /// The encoding it asked for.
    pub encoding_format: Option<String>,
    /// Its inputs.
    pub inputs: Vec<String>,
    /// Whether the right key was sent.
    pub authorized: bool,
    /// The status it was answered with; 0 while or when it is not answered.
    pub answered: u16,
}

/// A call to storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageCall {
    /// When it came.
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
    /// Whether it came with a signed address's token.
    pub signed: bool,
    /// The status it was answered with; 0 while or when it is not answered.
    pub answered: u16,
}
