//! What the contract of a target must say for a check to run, besides its routes, tables and columns.

use std::fmt;
use std::time::Duration;

use cutover_contract::contract::Contract;
use cutover_reports::record::SkipClass;

/// A property that a contract must have for a check to run.
#[derive(Clone, Copy)]
pub struct Condition {
    pub(crate) holds: fn(&Contract) -> bool,
    pub(crate) class: SkipClass,
    /// The key of the contract, which a policy may do without.
    pub(crate) key: Option<&'static str>,
    /// Why the check does not run without it, with the key of the contract.
    pub reason: &'static str,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.reason).finish()
    }
}

impl Condition {
    /// A property without which the statement of a check cannot be tried, by the key that decides.
    const fn new(key: &'static str, reason: &'static str, holds: fn(&Contract) -> bool) -> Self {
        Self {
            holds,
            class: SkipClass::PreconditionMissing,
            key: Some(key),
            reason,
        }
    }

    /// A property without which the statement of a check has no meaning.
    const fn applies(reason: &'static str, holds: fn(&Contract) -> bool) -> Self {
        Self {
            holds,
            class: SkipClass::NotApplicable,
            key: None,
            reason,
        }
    }

    /// Callbacks of the parser carry some proof of their sender.
    pub const AUTHENTICATED_CALLBACKS: Self = Self::new(
        "contract.callback.auth",
        "callbacks of this target carry no proof of their sender (contract.callback.auth is \"none\")",
        |contract| contract.callback.auth.is_given(),
    );

    /// Callbacks are signed with a secret of their job.
    pub const SIGNED_CALLBACKS: Self = Self::new(
        "contract.callback.auth",
        "callbacks of this target are not signed (contract.callback.auth)",
        |contract| contract.callback.auth.signs(),
    );

    /// The proof of a callback is valid for one job.
    pub const PROOF_PER_JOB: Self = Self::new(
        "contract.callback.auth",
        "the proof of callbacks is the same for every job of this target (contract.callback.auth)",
        |contract| contract.callback.auth.is_per_job(),
    );

    /// The places of uploaded files are known.
    pub const RAW_PATH: Self = Self::new(
        "contract.storage.raw_path",
        "the paths of uploaded files are unknown (contract.storage.raw_path is \"none\")",
        |contract| contract.storage.has_raw_path(),
    );

    /// The places of parsed texts are known.
    pub const PARSED_PATH: Self = Self::new(
        "contract.storage.parsed_path",
        "the paths of parsed texts are unknown (contract.storage.parsed_path is \"none\")",
        |contract| contract.storage.has_parsed_path(),
    );

    /// Errors contain the id of their request.
    pub const ERROR_REQUEST_ID: Self = Self::applies(
        "errors of this target contain no id of their request (contract.fields.error.request_id is \"none\")",
        |contract| contract.fields.error.request_id.is_given(),
    );

    /// A registration has the hash of the file.
    pub const UPLOAD_HASH: Self = Self::applies(
        "registrations of this target have no hash (contract.requests.upload.sha256 is \"none\")",
        |contract| contract.requests.upload.sha256.is_given(),
    );

    /// A registration has the name of the file.
    pub const UPLOAD_NAME: Self = Self::applies(
        "registrations of this target have no file name (contract.requests.upload.filename is \"none\")",
        |contract| contract.requests.upload.filename.is_given(),
    );

    /// A registration has the length of the file.
    pub const UPLOAD_LENGTH: Self = Self::applies(
        "registrations of this target have no length (contract.requests.upload.bytes_len is \"none\")",
        |contract| contract.requests.upload.bytes_len.is_given(),
    );

    /// A registration has the OCR option.
    pub const UPLOAD_OCR: Self = Self::applies(
        "registrations of this target have no OCR option (contract.requests.upload.ocr is \"none\")",
        |contract| contract.requests.upload.ocr.is_given(),
    );

    /// A search has the number of results.
    pub const SEARCH_COUNT: Self = Self::applies(
        "searches of this target have no number of results (contract.requests.search.k is \"none\")",
        |contract| contract.requests.search.k.is_given(),
    );

    /// The list of jobs has pages.
    pub const PAGED_LIST: Self = Self::applies(
        "the list of jobs of this target has no pages by size and offset (contract.requests.jobs)",
        |contract| contract.requests.jobs.has_pages(),
    );

    /// A job has the time of its last change.
    pub const JOB_UPDATED_AT: Self = Self::applies(
        "jobs of this target have no time of their last change (contract.fields.job.updated_at is \"none\")",
        |contract| contract.fields.job.updated_at.is_given(),
    );

    /// Callbacks say which submission they are about.
    pub const SUBMISSION_ID: Self = Self::applies(
        "callbacks of this target name no submission (contract.callback.submission_id is \"none\")",
        |contract| contract.callback.submission_id.is_given(),
    );

    /// The parser has a word for an empty page.
    pub const EMPTY_PAGE: Self = Self::applies(
        "the parser of this target has no word for an empty page (contract.callback.empty_page is \"\")",
        |contract| !contract.callback.empty_page.is_empty(),
    );

    /// A job that waits for its retry says so, and its user may retry it at once.
    pub const RETRY_OF_WAITING_JOBS: Self = Self::applies(
        "a user of this target cannot retry a job that waits for its retry (contract.vocabulary.retryable_states, \
         contract.fields.job.state)",
        |contract| {
            let vocabulary = &contract.vocabulary;
            let mut states = vocabulary.retryable_states.iter();
            contract.fields.job.state.is_given()
                && states.any(|state| !vocabulary.final_states.contains(state))
        },
    );

    /// Probes forbid caches to keep their responses.
    pub const PROBES_NO_STORE: Self = Self::applies(
        "the probes of this target may be cached (contract.responses.probes_no_store is false)",
        |contract| contract.responses.probes_no_store,
    );

    /// Logs promise a format or ids.
    pub const LOG_LINES: Self = Self::applies(
        "log lines of this target are free text without ids (contract.log_lines)",
        |contract| contract.log_lines.promise(),
    );

    /// The daily limit is small enough for a check to exhaust it.
    pub const SMALL_DAILY_LIMIT: Self = Self::new(
        "contract.limits.daily_uploads",
        "to exhaust the daily uploads of a user takes too long (contract.limits.daily_uploads is above 20)",
        |contract| contract.limits.daily_uploads <= 20,
    );

    /// A user can upload more documents in a day than at once.
    pub const DAILY_ABOVE_CONCURRENT: Self = Self::applies(
        "the daily limit of a user is not above that of active jobs (contract.limits.daily_uploads)",
        |contract| contract.limits.daily_uploads > contract.limits.concurrent_jobs,
    );

    /// The time limit of a long document is short enough to wait for.
    pub const SHORT_PARSE_DEADLINE: Self = Self::new(
        "contract.timing.parse_deadline",
        "to wait for the parse deadline of a long document takes too long (twice contract.timing.parse_deadline is \
         above 20 s)",
        |contract| {
            let timing = &contract.timing;
            (timing.parse_deadline * 2).min(timing.parse_deadline_cap) <= Duration::from_secs(20)
        },
    );

    /// An upload URL expires soon enough to wait for.
    pub const SHORT_URL_LIFETIME: Self = Self::new(
        "contract.limits.url_ttl",
        "to wait for the end of an upload URL takes too long (contract.limits.url_ttl is above 30 s)",
        |contract| contract.limits.url_ttl <= Duration::from_secs(30),
    );

    /// The parser has a time limit.
    pub const PARSE_DEADLINE: Self = Self::new(
        "contract.timing.parse_deadline",
        "this target has no time limit for parsing (contract.timing.parse_deadline is \"none\")",
        |contract| contract.timing.has_parse_deadline(),
    );
}
