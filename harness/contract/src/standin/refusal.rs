//! The requests that a stand-in refused without a script that says so.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A request that a stand-in refused because the real service refuses it too.
///
/// A refusal by a script is not recorded, nor is an answer about what exists, such as a missing object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When the response was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The stand-in: `parser`, `embedder`, `storage` or `auth`.
    pub standin: String,
    /// The method of the request.
    pub method: String,
    /// The path of the request, without its query, which may hold a token.
    pub path: String,
    /// The `User-Agent` of the request, which tells the pipeline from other clients; empty without one.
    pub user_agent: String,
    /// The HTTP status of the response.
    pub status: u16,
    /// The start of the response's body: the reason.
    pub reason: String,
}

/// The list of refusals in an answer of the control API, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// The refusals.
    pub refusals: Vec<Refusal>,
}
