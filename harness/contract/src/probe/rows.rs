//! The pipeline's rows as the harness reads them; a job's webhook secret is never among them.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::vector::Vector;

/// A row of `documents`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DocumentRow {
    /// Its id.
    pub document_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The name it was registered with.
    pub filename: String,
    /// The type it was registered with.
    pub mime: String,
    /// The length it was registered with.
    pub bytes_len: i64,
    /// The hash it was registered with.
    pub file_sha256: String,
    /// The hash of its parsed text.
    pub parsed_sha256: Option<String>,
    /// Where its bytes are: bucket and key.
    pub raw_path: Option<String>,
    /// Where its parsed text is: bucket and key.
    pub parsed_path: Option<String>,
    /// How far it is.
    pub processing_status: Option<String>,
    /// When it was registered.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A row of `upload_jobs`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub job_id: Uuid,
    /// The document it works on.
    pub document_id: Uuid,
    /// How far it is.
    pub status: String,
    /// Where it stands in the queue.
    pub state: String,
    /// How often it was tried again.
    pub retry_count: i64,
    /// Why it failed last.
    pub last_error: Option<Value>,
    /// How far it is, in percent.
    pub progress: Option<Value>,
    /// Which worker has it.
    pub claimed_by: Option<String>,
    /// Since when.
    #[serde(with = "rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// Until when, unless the worker says more.
    #[serde(with = "rfc3339::option")]
    pub lease_expires_at: Option<OffsetDateTime>,
    /// When it is due.
    #[serde(with = "rfc3339::option")]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// When it was made.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A row of `document_chunks`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ChunkRow {
    /// Its id.
    pub chunk_id: Uuid,
    /// The document it is part of.
    pub document_id: Uuid,
    /// Who cut it.
    pub chunker_name: String,
    /// In which version.
    pub chunker_version: String,
    /// Its place in the document, from 0.
    pub chunk_ord: i64,
    /// Its text.
    pub text: String,
    /// The hash of its text.
    pub chunk_sha: String,
    /// Which model made its vector.
    pub embed_model: Option<String>,
    /// How many numbers its vector is said to have.
    pub vector_dim: Option<i64>,
    /// Its vector.
    pub embedding: Option<Vector>,
    /// When it was stored.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl ChunkRow {
    /// Whether it has a vector that says something: numbers only, not all of them zero.
    pub fn has_vector(&self) -> bool {
        self.embedding
            .as_ref()
            .is_some_and(|vector| vector.is_finite() && !vector.is_zero())
    }
}

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EventRow {
    /// Its id.
    pub event_id: String,
    /// The job it is about.
    pub job_id: Option<Uuid>,
    /// The document it is about.
    pub document_id: Option<Uuid>,
    /// When it happened.
    #[serde(with = "rfc3339")]
    pub ts: OffsetDateTime,
    /// What kind of step it records.
    #[serde(rename = "type")]
    pub kind: String,
    /// How grave it is.
    pub severity: Option<String>,
    /// What exactly happened.
    pub code: Option<String>,
    /// The details.
    pub payload: Option<Value>,
    /// The request it goes back to.
    pub correlation_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chunk(embedding: &Value) -> ChunkRow {
        let row = json!({
            "chunk_id": Uuid::nil(), "document_id": Uuid::nil(), "chunker_name": "markdown-simple",
            "chunker_version": "1", "chunk_ord": 0, "text": "a", "chunk_sha": "b", "embed_model": null,
            "vector_dim": 2, "embedding": embedding, "created_at": "2026-01-02T03:04:05.678901+00:00",
            "updated_at": "2026-01-02T03:04:05+00:00",
        });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_vector_says_something_or_the_chunk_has_none() {
        assert!(chunk(&json!("{0.6,0.8}")).has_vector());
        for nothing in [
            json!(null),
            json!("{0,0}"),
            json!("[0,0]"),
            json!("{NaN,1}"),
            json!("{}"),
        ] {
            assert!(!chunk(&nothing).has_vector(), "{nothing}");
        }
    }
}
