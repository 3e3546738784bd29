//! Where the pipeline's answers keep what the harness reads: JSON pointers, by answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::times::Times;

/// Where a value is in a JSON document: a JSON pointer, or `none` where a target does not give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pointer(Option<String>);

impl Pointer {
    /// What stands in a file for a value that a target does not give.
    const NOWHERE: &str = "none";

    /// The value there, `null` included.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(self.0.as_deref()?)
    }

    /// Whether the target gives the value at all.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The pointer as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::NOWHERE)
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            Self::NOWHERE => Ok(Self(None)),
            pointer if pointer.starts_with('/') => Ok(Self(Some(text))),
            _ => Err(format!(
                "'{text}' is no JSON pointer such as \"/job_id\", nor \"none\""
            )),
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.as_str().to_owned()
    }
}

/// Declares a table of pointers: a struct whose every field is one.
macro_rules! pointers {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: Pointer,)+
        }
    };
}

/// Where the answers keep what the harness reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// How every time among them is written.
    pub times: Times,
    /// In the answer to a registration.
    pub accepted: AcceptedFields,
    /// In a job.
    pub job: JobFields,
    /// In the list of jobs.
    pub jobs: JobsFields,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Result<Pointer, String> {
        Pointer::try_from(text.to_owned())
    }

    #[test]
    fn a_pointer_finds_or_is_nowhere() {
        let document = json!({"progress": {"total_pct": 5}});
        let found = pointer("/progress/total_pct").unwrap();
        assert_eq!(found.find(&document), Some(&json!(5)));
        assert_eq!(pointer("/progress/other").unwrap().find(&document), None);
        assert_eq!(pointer("none").unwrap().find(&document), None);
        assert!(pointer("progress").unwrap_err().contains("no JSON pointer"));
    }
}
