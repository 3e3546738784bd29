//! The fields of the pipeline's responses that the harness reads, as JSON pointers per response.

use super::pointer::{Pointer, pointers};
use super::timestamps::TimestampFormats;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of the responses that the harness reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The format of all timestamps, or a list of formats.
    pub times: TimestampFormats,
    /// Fields of the response to a registration.
    pub accepted: AcceptedFields,
    /// Fields of a job.
    pub job: JobFields,
    /// Fields of the job list.
    pub jobs: JobsFields,
    /// Fields of the response to a retry.
    pub retry: RetryFields,
    /// Fields of a document.
    pub document: DocumentFields,
    /// Fields of the response to a search.
    pub search: SearchFields,
    /// Fields of the limits.
    pub limits: LimitFields,
    /// Fields of the version.
    pub version: VersionFields,
    /// Fields of an error.
    pub error: ErrorFields,
}

pointers! {
    /// The version of a process.
    VersionFields {
        /// The commit of the build.
        commit,
        /// The build id.
        build,
        /// The latest migration of its database.
        migration_head,
        /// The environment.
        environment,
    }
}

pointers! {
    /// The response to a registration.
    AcceptedFields {
        /// The job's id.
        job_id,
        /// The document's id.
        document_id,
        /// The signed URL for the upload.
        signed_url,
        /// When the URL expires.
        upload_expires_at,
    }
}

pointers! {
    /// A job.
    JobFields {
        /// Its id.
        job_id,
        /// Its document's id.
        document_id,
        /// Its status.
        status,
        /// Its queue state.
        state,
        /// The number of retries.
        retry_count,
        /// The progress of the stage in percent.
        stage_percent,
        /// The total progress in percent.
        total_percent,
        /// Its cost in cents.
        cost_cents,
        /// The most recent error.
        last_error,
        /// The error's code.
        last_error_code,
        /// The error's message.
        last_error_message,
        /// The error's time.
        last_error_timestamp,
        /// The error's details.
        last_error_details,
        /// When it last changed.
        updated_at,
    }
}

pointers! {
    /// The job list.
    JobsFields {
        /// The jobs.
        jobs,
        /// The page size.
        limit,
        /// The offset of the page.
        offset,
        /// The total number of jobs.
        total,
        /// Whether another page exists.
        has_more,
    }
}

pointers! {
    /// The response to a retry.
    RetryFields {
        /// The job's id.
        job_id,
        /// The new queue state of the job.
        new_state,
    }
}

pointers! {
    /// A document.
    DocumentFields {
        /// Its id.
        document_id,
        /// Its status.
        status,
        /// Its name.
        filename,
        /// Its length.
        bytes_len,
        /// Its hash.
        sha256,
        /// The number of its chunks.
        chunk_count,
    }
}

pointers! {
    /// The response to a search; all fields except the first belong to one result.
    SearchFields {
        /// The results, best first.
        results,
        /// The chunk's id.
        chunk_id,
        /// Its document's id.
        document_id,
        /// Its text.
        text,
        /// Its similarity.
        similarity,
    }
}

pointers! {
    /// The current limits.
    LimitFields {
        /// The largest accepted document, in bytes.
        max_bytes,
        /// The maximum number of active jobs of a user.
        concurrent_jobs,
        /// The maximum number of uploads of a user per day.
        daily_uploads,
    }
}

pointers! {
    /// An error.
    ErrorFields {
        /// Its kind.
        error,
        /// Its message.
        message,
        /// The id of the request.
        request_id,
        /// For a duplicate: the error type.
        error_type,
        /// For a duplicate: the title of the existing document.
        document_title,
        /// For a duplicate: when the existing document was uploaded.
        last_uploaded,
    }
}
