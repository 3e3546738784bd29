//! What the contract of a target must say for a check to run, besides its routes, tables and columns.

use std::fmt;

use cutover_contract::contract::Contract;
use cutover_reports::record::SkipClass;

/// A property that a contract must have for a check to run.
#[derive(Clone, Copy)]
pub struct Condition {
    pub(crate) holds: fn(&Contract) -> bool,
    pub(crate) class: SkipClass,
    /// Why the check does not run without it, with the key of the contract.
    pub reason: &'static str,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.reason).finish()
    }
}

impl Condition {
    const fn new(reason: &'static str, holds: fn(&Contract) -> bool) -> Self {
        Self {
            holds,
            class: SkipClass::PreconditionMissing,
            reason,
        }
    }

    /// A property without which the statement of a check has no meaning.
    const fn applies(reason: &'static str, holds: fn(&Contract) -> bool) -> Self {
        Self {
            holds,
            class: SkipClass::NotApplicable,
            reason,
        }
    }

    /// Callbacks of the parser carry some proof of their sender.
    pub const AUTHENTICATED_CALLBACKS: Self = Self::new(
        "callbacks of this target carry no proof of their sender (contract.callback.auth is \"none\")",
        |contract| contract.callback.auth.is_given(),
    );

    /// Callbacks are signed with a secret of their job.
    pub const SIGNED_CALLBACKS: Self = Self::new(
        "callbacks of this target are not signed (contract.callback.auth)",
        |contract| contract.callback.auth.signs(),
    );

    /// The proof of a callback is valid for one job.
    pub const PROOF_PER_JOB: Self = Self::new(
        "the proof of callbacks is the same for every job of this target (contract.callback.auth)",
        |contract| contract.callback.auth.is_per_job(),
    );

    /// The places of uploaded files are known.
    pub const RAW_PATH: Self = Self::new(
        "the paths of uploaded files are unknown (contract.storage.raw_path is \"none\")",
        |contract| contract.storage.has_raw_path(),
    );

    /// The places of parsed texts are known.
    pub const PARSED_PATH: Self = Self::new(
        "the paths of parsed texts are unknown (contract.storage.parsed_path is \"none\")",
        |contract| contract.storage.has_parsed_path(),
    );

    /// Errors contain the id of their request.
    pub const ERROR_REQUEST_ID: Self = Self::applies(
        "errors of this target contain no id of their request (contract.fields.error.request_id is \"none\")",
        |contract| contract.fields.error.request_id.is_given(),
    );

    /// The parser has a time limit.
    pub const PARSE_DEADLINE: Self = Self::new(
        "this target has no time limit for parsing (contract.timing.parse_deadline is \"none\")",
        |contract| contract.timing.has_parse_deadline(),
    );
}
