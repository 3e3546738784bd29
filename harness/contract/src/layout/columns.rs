//! The tables and columns that cutover knows, and what a check reads of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table of the pipeline.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The documents.
    Documents,
    /// The jobs.
    Jobs,
    /// The chunks of documents, with their vectors.
    Chunks,
    /// The history of jobs.
    Events,
    /// The callbacks that were received.
    WebhookLog,
}

/// A column of a table.
#[derive(Debug)]
pub(crate) struct ColumnSpec {
    /// Its name in the queries of cutover.
    pub(crate) name: &'static str,
    /// The SQL type of its missing value.
    pub(crate) kind: &'static str,
    /// Whether a target that has the table must have the column.
    pub(crate) required: bool,
}

const fn required(name: &'static str, kind: &'static str) -> ColumnSpec {
    ColumnSpec {
        name,
        kind,
        required: true,
    }
}

const fn optional(name: &'static str, kind: &'static str) -> ColumnSpec {
    ColumnSpec {
        name,
        kind,
        required: false,
    }
}

const DOCUMENTS: &[ColumnSpec] = &[
    required("document_id", "uuid"),
    required("user_id", "uuid"),
    optional("filename", "text"),
    optional("mime", "text"),
    optional("bytes_len", "bigint"),
    optional("file_sha256", "text"),
    optional("parsed_sha256", "text"),
    optional("raw_path", "text"),
    optional("parsed_path", "text"),
    optional("processing_status", "text"),
    optional("created_at", "timestamptz"),
    optional("updated_at", "timestamptz"),
];

const JOBS: &[ColumnSpec] = &[
    required("job_id", "uuid"),
    required("document_id", "uuid"),
    required("status", "text"),
    optional("state", "text"),
    optional("retry_count", "bigint"),
    optional("last_error", "jsonb"),
    optional("progress", "jsonb"),
    optional("claimed_by", "text"),
    optional("claimed_at", "timestamptz"),
    optional("lease_expires_at", "timestamptz"),
    optional("next_attempt_at", "timestamptz"),
    optional("webhook_secret", "text"),
    optional("chunks_version", "text"),
    optional("embed_model", "text"),
    optional("embed_version", "text"),
    optional("created_at", "timestamptz"),
    optional("updated_at", "timestamptz"),
];

const CHUNKS: &[ColumnSpec] = &[
    required("chunk_id", "text"),
    required("document_id", "uuid"),
    required("chunk_ord", "bigint"),
    required("text", "text"),
    optional("chunker_name", "text"),
    optional("chunker_version", "text"),
    optional("chunk_sha", "text"),
    optional("embed_model", "text"),
    optional("embed_version", "text"),
    optional("embed_updated_at", "timestamptz"),
    optional("vector_dim", "bigint"),
    optional("embedding", "text"),
    optional("created_at", "timestamptz"),
    optional("updated_at", "timestamptz"),
];

const EVENTS: &[ColumnSpec] = &[
    required("event_id", "text"),
    required("job_id", "uuid"),
    required("ts", "timestamptz"),
    required("type", "text"),
    optional("document_id", "uuid"),
    optional("severity", "text"),
    optional("code", "text"),
    optional("payload", "jsonb"),
    optional("correlation_id", "text"),
];

const WEBHOOK_LOG: &[ColumnSpec] = &[
    required("job_id", "uuid"),
    optional("payload_hash", "text"),
    optional("processed_at", "timestamptz"),
];

impl Table {
    /// Every table.
    pub const ALL: [Self; 5] = [
        Self::Documents,
        Self::Jobs,
        Self::Chunks,
        Self::Events,
        Self::WebhookLog,
    ];

    /// Its key in a contract.
    pub fn key(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Jobs => "jobs",
            Self::Chunks => "chunks",
            Self::Events => "events",
            Self::WebhookLog => "webhook_log",
        }
    }

    /// Its name in the queries of cutover, and in a target that does not name it.
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Jobs => "upload_jobs",
            Self::Chunks => "document_chunks",
            Self::Events => "events",
            Self::WebhookLog => "webhook_log",
        }
    }

    /// Its columns.
    pub(crate) fn columns(self) -> &'static [ColumnSpec] {
        match self {
            Self::Documents => DOCUMENTS,
            Self::Jobs => JOBS,
            Self::Chunks => CHUNKS,
            Self::Events => EVENTS,
            Self::WebhookLog => WEBHOOK_LOG,
        }
    }
}

/// A table or column that a check reads, as its table line declares it.
///
/// A table stands for its ids and the other columns that every target with this table has. All
/// other columns are declared one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The table.
    pub table: Table,
    /// The column; `None` means the table with the columns that it always has.
    pub column: Option<&'static str>,
    /// Whether the check also runs on a target without it.
    pub optional: bool,
}

impl Read {
    /// The same, for a check that also runs on a target without it.
    #[must_use]
    pub const fn if_given(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }
}

/// Such as `chunks` or `chunks.embedding`.
impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table.key())?;
        self.column.map_or(Ok(()), |column| write!(f, ".{column}"))
    }
}

/// What a check can declare: `read::CHUNKS`, `read::chunk::EMBEDDING`.
pub mod read {
    use super::{Read, Table};

    const fn table(table: Table) -> Read {
        Read {
            table,
            column: None,
            optional: false,
        }
    }

    const fn column(table: Table, name: &'static str) -> Read {
        Read {
            table,
            column: Some(name),
            optional: false,
        }
    }

    /// A check that uses the database, but none of the tables: `.reads(read::NOTHING)`.
    pub const NOTHING: [Read; 0] = [];
    /// Ids and owners of documents.
    pub const DOCUMENTS: Read = table(Table::Documents);
    /// Ids and statuses of jobs.
    pub const JOBS: Read = table(Table::Jobs);
    /// Ids, numbers and texts of chunks.
    pub const CHUNKS: Read = table(Table::Chunks);
    /// Ids, times and types of events.
    pub const EVENTS: Read = table(Table::Events);
    /// The jobs of callbacks.
    pub const WEBHOOK_LOG: Read = table(Table::WebhookLog);

    macro_rules! columns {
        ($($module:ident, $about:literal, $table:ident: $($constant:ident = $name:literal),+;)+) => {$(
            #[doc = $about]
            pub mod $module {
                use super::{Read, Table, column};
                $(
                    #[doc = concat!("Column `", $name, "`.")]
                    pub const $constant: Read = column(Table::$table, $name);
                )+
            }
        )+};
    }

    columns! {
        document, "Columns of documents.", Documents:
            FILENAME = "filename", MIME = "mime", BYTES_LEN = "bytes_len", FILE_SHA256 = "file_sha256",
            PARSED_SHA256 = "parsed_sha256", RAW_PATH = "raw_path", PARSED_PATH = "parsed_path",
            PROCESSING_STATUS = "processing_status", CREATED_AT = "created_at", UPDATED_AT = "updated_at";
        job, "Columns of jobs.", Jobs:
            STATE = "state", RETRY_COUNT = "retry_count", LAST_ERROR = "last_error", PROGRESS = "progress",
            CLAIMED_BY = "claimed_by", CLAIMED_AT = "claimed_at", LEASE_EXPIRES_AT = "lease_expires_at",
            NEXT_ATTEMPT_AT = "next_attempt_at", WEBHOOK_SECRET = "webhook_secret",
            CHUNKS_VERSION = "chunks_version", EMBED_MODEL = "embed_model", EMBED_VERSION = "embed_version",
            CREATED_AT = "created_at", UPDATED_AT = "updated_at";
        chunk, "Columns of chunks.", Chunks:
            CHUNKER_NAME = "chunker_name", CHUNKER_VERSION = "chunker_version", CHUNK_SHA = "chunk_sha",
            EMBED_MODEL = "embed_model", EMBED_VERSION = "embed_version", EMBED_UPDATED_AT = "embed_updated_at",
            VECTOR_DIM = "vector_dim", EMBEDDING = "embedding", CREATED_AT = "created_at", UPDATED_AT = "updated_at";
        event, "Columns of events.", Events:
            DOCUMENT_ID = "document_id", SEVERITY = "severity", CODE = "code", PAYLOAD = "payload",
            CORRELATION_ID = "correlation_id";
        callback, "Columns of the log of callbacks.", WebhookLog:
            PAYLOAD_HASH = "payload_hash", PROCESSED_AT = "processed_at";
    }
}
