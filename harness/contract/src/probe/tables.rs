//! Queries for the rows of the pipeline's tables.

use uuid::Uuid;

use super::parameter::Parameter;
use super::rows::{ChunkRow, DocumentRow, EventRow, JobRow};
use super::sql::{Database, DatabaseError};

// The columns are listed so that the webhook secret is not read. The casts allow
// for deployments with other column types.
const DOCUMENTS: &str = "SELECT document_id, user_id, filename, mime, bytes_len, file_sha256, parsed_sha256, raw_path, \
     parsed_path, processing_status, created_at::timestamptz, updated_at::timestamptz FROM {schema}.documents";

const JOBS: &str = "SELECT job_id, document_id, status, state, retry_count, last_error, progress, claimed_by::text, \
     claimed_at::timestamptz, lease_expires_at::timestamptz, next_attempt_at::timestamptz, \
     created_at::timestamptz, updated_at::timestamptz FROM {schema}.upload_jobs";

const CHUNKS: &str = "SELECT chunk_id::text, document_id, chunker_name, chunker_version::text, chunk_ord, text, chunk_sha, \
     embed_model, vector_dim, embedding::text, created_at::timestamptz, updated_at::timestamptz \
     FROM {schema}.document_chunks";

const EVENTS: &str = "SELECT event_id::text, job_id, document_id, ts::timestamptz, type, severity, code, payload, \
     correlation_id::text FROM {schema}.events AS e";

impl Database {
    /// A user's documents, oldest first.
    pub async fn documents_of(&self, user: Uuid) -> Result<Vec<DocumentRow>, DatabaseError> {
        let sql = format!("{DOCUMENTS} WHERE user_id = $1 ORDER BY created_at, document_id");
        self.rows_with_nulls(&sql, &[user.into()]).await
    }

    /// The document with this id.
    pub async fn document(&self, id: Uuid) -> Result<Option<DocumentRow>, DatabaseError> {
        let sql = format!("{DOCUMENTS} WHERE document_id = $1");
        Ok(self.rows_with_nulls(&sql, &[id.into()]).await?.pop())
    }

    /// The newest document.
    pub async fn newest_document(&self) -> Result<Option<DocumentRow>, DatabaseError> {
        let sql = format!("{DOCUMENTS} ORDER BY created_at DESC NULLS LAST LIMIT 1");
        Ok(self.rows_with_nulls(&sql, &[]).await?.pop())
    }

    /// A document's jobs, oldest first.
    pub async fn jobs_of(&self, document: Uuid) -> Result<Vec<JobRow>, DatabaseError> {
        let sql = format!("{JOBS} WHERE document_id = $1 ORDER BY created_at, job_id");
        self.rows_with_nulls(&sql, &[document.into()]).await
    }

    /// The jobs of a user's documents, oldest first.
    pub async fn jobs_of_user(&self, user: Uuid) -> Result<Vec<JobRow>, DatabaseError> {
        let sql = format!(
            "{JOBS} WHERE document_id IN (SELECT document_id FROM {{schema}}.documents WHERE user_id = $1)
             ORDER BY created_at, job_id"
        );
        self.rows_with_nulls(&sql, &[user.into()]).await
    }

    /// The job with this id.
    pub async fn job(&self, id: Uuid) -> Result<Option<JobRow>, DatabaseError> {
        let sql = format!("{JOBS} WHERE job_id = $1");
        Ok(self.rows_with_nulls(&sql, &[id.into()]).await?.pop())
    }

    /// A document's chunks, in document order.
    pub async fn chunks_of(&self, document: Uuid) -> Result<Vec<ChunkRow>, DatabaseError> {
        let sql = format!("{CHUNKS} WHERE document_id = $1 ORDER BY chunk_ord, chunk_id");
        self.rows_with_nulls(&sql, &[document.into()]).await
    }

    /// A job's events, oldest first.
    pub async fn events_of(&self, job: Uuid) -> Result<Vec<EventRow>, DatabaseError> {
        let sql = format!("{EVENTS} WHERE job_id = $1 ORDER BY e.ts, e.event_id");
        self.rows_with_nulls(&sql, &[job.into()]).await
    }

    /// The number of rows of a query.
    pub async fn count(&self, sql: &str, parameters: &[Parameter]) -> Result<u64, DatabaseError> {
        #[derive(serde::Deserialize)]
        struct Count {
            count: u64,
        }
        let sql = format!("SELECT count(*) AS count FROM ({sql}) AS counted");
        let rows: Vec<Count> = self.rows(&sql, parameters).await?;
        Ok(rows.first().map_or(0, |row| row.count))
    }
}
