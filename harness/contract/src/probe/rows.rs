//! The rows of the pipeline's tables, without the webhook secret of a job.
//!
//! A field is `None` where the column is null, the target does not have it, or the check does not declare it.

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
    /// The user who owns it.
    pub user_id: Uuid,
    /// The registered file name.
    pub filename: Option<String>,
    /// The registered MIME type.
    pub mime: Option<String>,
    /// The registered length in bytes.
    pub bytes_len: Option<i64>,
    /// The registered hash.
    pub file_sha256: Option<String>,
    /// The hash of its parsed text.
    pub parsed_sha256: Option<String>,
    /// Bucket and key of its bytes.
    pub raw_path: Option<String>,
    /// Bucket and key of its parsed text.
    pub parsed_path: Option<String>,
    /// Its processing status.
    pub processing_status: Option<String>,
    /// Its registration time.
    #[serde(with = "rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
}

/// A row of `upload_jobs`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub job_id: Uuid,
    /// Its document.
    pub document_id: Uuid,
    /// Its status.
    pub status: String,
    /// Its queue state.
    pub state: Option<String>,
    /// The number of retries.
    pub retry_count: Option<i64>,
    /// The most recent error.
    pub last_error: Option<Value>,
    /// The progress in percent.
    pub progress: Option<Value>,
    /// The worker that holds the lease.
    pub claimed_by: Option<String>,
    /// When the lease started.
    #[serde(with = "rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// When the lease expires unless the worker renews it.
    #[serde(with = "rfc3339::option")]
    pub lease_expires_at: Option<OffsetDateTime>,
    /// When the next attempt is due.
    #[serde(with = "rfc3339::option")]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// Its creation time.
    #[serde(with = "rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
}

/// A row of `document_chunks`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ChunkRow {
    /// Its id.
    pub chunk_id: String,
    /// Its document.
    pub document_id: Uuid,
    /// The chunker's name.
    pub chunker_name: Option<String>,
    /// The chunker's version.
    pub chunker_version: Option<String>,
    /// Its position in the document, from 0.
    pub chunk_ord: i64,
    /// Its text.
    pub text: String,
    /// The hash of its text.
    pub chunk_sha: Option<String>,
    /// The model that created its vector.
    pub embed_model: Option<String>,
    /// The declared dimension of its vector.
    pub vector_dim: Option<i64>,
    /// Its vector.
    pub embedding: Option<Vector>,
    /// Its creation time.
    #[serde(with = "rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
}

impl ChunkRow {
    /// Whether it has a usable vector: finite, and not zero.
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
    /// Its job.
    pub job_id: Option<Uuid>,
    /// Its document.
    pub document_id: Option<Uuid>,
    /// When it happened.
    #[serde(with = "rfc3339")]
    pub ts: OffsetDateTime,
    /// The type of the event.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its severity.
    pub severity: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// Its details.
    pub payload: Option<Value>,
    /// The correlation id of the request that caused it.
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
    fn a_zero_infinite_or_missing_vector_is_not_usable() {
        assert!(chunk(&json!("{0.6,0.8}")).has_vector());
        for unusable in [
            json!(null),
            json!("{0,0}"),
            json!("[0,0]"),
            json!("{NaN,1}"),
            json!("{}"),
        ] {
            assert!(!chunk(&unusable).has_vector(), "{unusable}");
        }
    }
}
