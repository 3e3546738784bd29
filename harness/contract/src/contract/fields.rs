//! Where the pipeline's answers keep what the harness reads: JSON pointers, by answer.

use super::pointer::{Pointer, pointers};
use super::timestamps::TimestampFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the answers keep what the harness reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// How every time among them is written.
    pub times: TimestampFormat,
    /// In the answer to a registration.
    pub accepted: AcceptedFields,
    /// In a job.
    pub job: JobFields,
    /// In the list of jobs.
    pub jobs: JobsFields,
    /// In the answer to a request to try again.
    pub retry: RetryFields,
    /// In a document.
    pub document: DocumentFields,
    /// In the answer to a search.
    pub search: SearchFields,
    /// In the limits.
    pub limits: LimitFields,
    /// In what a process says it is.
    pub version: VersionFields,
    /// In an error.
    pub error: ErrorFields,
}

pointers! {
    /// What a process says it is.
    VersionFields {
        /// The commit it was built from.
        commit,
        /// Its build.
        build,
        /// The newest migration of its database.
        migration_head,
        /// In which environment it runs.
        environment,
    }
}

pointers! {
    /// The answer to a registration.
    AcceptedFields {
        /// The job's id.
        job_id,
        /// The document's id.
        document_id,
        /// Where to put the bytes.
        signed_url,
        /// Until when.
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
        /// How far it is.
        status,
        /// Where it stands in the queue.
        state,
        /// How often it was tried again.
        retry_count,
        /// How far the stage is, in percent.
        stage_percent,
        /// How far the whole is, in percent.
        total_percent,
        /// What it has cost.
        cost_cents,
        /// Why it failed last.
        last_error,
        /// The error's code.
        last_error_code,
        /// The error's text.
        last_error_message,
        /// When it happened.
        last_error_timestamp,
        /// What else is known of it.
        last_error_details,
        /// When it last changed.
        updated_at,
    }
}

pointers! {
    /// The list of jobs.
    JobsFields {
        /// The jobs.
        jobs,
        /// The page's size.
        limit,
        /// The page's start.
        offset,
        /// How many there are.
        total,
        /// Whether there are more.
        has_more,
    }
}

pointers! {
    /// The answer to a request to try again.
    RetryFields {
        /// The job's id.
        job_id,
        /// Where the job stands in the queue now.
        new_state,
    }
}

pointers! {
    /// A document.
    DocumentFields {
        /// Its id.
        document_id,
        /// How far it is.
        status,
        /// Its name.
        filename,
        /// Its length.
        bytes_len,
        /// Its hash.
        sha256,
        /// How many chunks it has.
        chunk_count,
    }
}

pointers! {
    /// The answer to a search; all but the first are within one result.
    SearchFields {
        /// The results, best first.
        results,
        /// The chunk's id.
        chunk_id,
        /// Its document's id.
        document_id,
        /// Its text.
        text,
        /// How similar it is.
        similarity,
    }
}

pointers! {
    /// The limits in force.
    LimitFields {
        /// The largest document that is accepted, in bytes.
        max_bytes,
        /// The most jobs that a user may have at once.
        concurrent_jobs,
        /// The most documents that a user may upload in a day.
        daily_uploads,
    }
}

pointers! {
    /// An error.
    ErrorFields {
        /// What kind it is.
        error,
        /// What it says.
        message,
        /// The request it belongs to.
        request_id,
        /// For a duplicate: that it is one.
        error_type,
        /// For a duplicate: the document that is there.
        document_title,
        /// For a duplicate: since when.
        last_uploaded,
    }
}
