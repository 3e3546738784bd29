//! Where a cause lies in the processing of a document.

use serde::{Deserialize, Serialize};

/// A step in the processing of a document, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The registration of a document.
    Registration,
    /// The upload of its bytes.
    Upload,
    /// The queue, and the routes that show a job.
    Job,
    /// The parser and its callback.
    Parse,
    /// The chunker.
    Chunk,
    /// The embedder.
    Embed,
    /// A completed document.
    Complete,
    /// The search.
    Search,
    /// The deletion.
    Delete,
    /// Anywhere else.
    Other,
}

impl Place {
    /// The step of a request.
    pub(super) fn of_request(surface: &str, method: &str, path: &str) -> Self {
        let has = |word: &str| path.contains(word);
        match method {
            _ if has("webhook") || has("callback") => Self::Parse,
            "PUT" if surface == "storage" => Self::Upload,
            _ if surface != "api" => Self::Other,
            "DELETE" => Self::Delete,
            _ if has("/search") => Self::Search,
            "POST" if has("/upload") && !has("/jobs") => Self::Registration,
            _ if has("/jobs") || has("/status") => Self::Job,
            _ if has("/documents") => Self::Complete,
            _ => Self::Other,
        }
    }

    /// The step that a job with this status waits for or failed in.
    pub(super) fn of_status(status: &str) -> Self {
        let steps = [
            ("pars", Self::Parse),
            ("chunk", Self::Chunk),
            ("embed", Self::Embed),
            ("complete", Self::Complete),
            ("done", Self::Complete),
        ];
        let step = steps.iter().find(|(word, _)| status.contains(word));
        step.map_or(Self::Job, |(_, place)| *place)
    }
}
