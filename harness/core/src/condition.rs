//! What the contract of a target must say for a check to run: tables, columns, and other properties.

use std::fmt;

use cutover_contract::contract::Contract;
use cutover_reports::record::{Admission, SkipClass};

use crate::suite::Case;

/// A property that a contract must have for a check to run.
#[derive(Clone, Copy)]
pub struct Condition {
    holds: fn(&Contract) -> bool,
    class: SkipClass,
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

/// Refuses an admitted check that needs what the contract does not have.
pub(crate) fn refused_by_contract(
    case: &Case,
    contract: Option<&Contract>,
    admission: Admission,
) -> Admission {
    let (Admission::Admitted, Some(contract)) = (&admission, contract) else {
        return admission;
    };
    missing(case, contract).map_or(admission, |(class, reason)| Admission::Refused {
        class,
        reason,
    })
}

/// What a check needs and the contract does not have.
fn missing(case: &Case, contract: &Contract) -> Option<(SkipClass, String)> {
    if let Some(reason) = (case.not_applicable)(contract) {
        return Some((SkipClass::NotApplicable, reason));
    }
    let read = case.required_reads().find_map(|read| {
        let key = contract.database.missing_key(read)?;
        let reason = format!("reads {read}, which the target does not have ({key} is \"none\")");
        Some((SkipClass::PreconditionMissing, reason))
    });
    read.or_else(|| {
        let mut conditions = case.check.conditions.iter();
        let broken = conditions.find(|condition| !(condition.holds)(contract));
        broken.map(|condition| (condition.class, condition.reason.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use cutover_contract::contract::read;

    use super::*;
    use crate::check::Check;
    use crate::context::Context;
    use crate::suite::Suite;
    use cutover_evidence::stop::CheckResult;

    const DEFAULT: &str = include_str!("../../../fixtures/contracts/upload_pipeline.toml");

    fn reason(check: Check, overrides: &str) -> Option<String> {
        let contract =
            Contract::parse_with_overrides(DEFAULT, &overrides.parse().unwrap(), "x.toml").unwrap();
        let suite = Suite::new("suite", "about", [check]);
        match refused_by_contract(&suite.cases()[0], Some(&contract), Admission::Admitted) {
            Admission::Admitted => None,
            Admission::Refused { reason, .. } => Some(reason),
        }
    }

    fn check() -> Check {
        let nothing = async |_: &Context| CheckResult::Ok(());
        Check::single("a_statement", "file", 1, nothing)
    }

    #[test]
    fn a_check_that_reads_a_missing_table_or_column_is_refused_with_the_key() {
        let none = "[database]\ntables = { events = 'none' }\ncolumns = { chunks = { embedding = 'none' } }";
        let declared = |reads: &[_]| check().reads(reads.iter().copied());
        let refused = reason(declared(&[read::EVENTS]), none).unwrap();
        assert!(
            refused.contains("(contract.database.tables.events is"),
            "{refused}"
        );
        let refused = reason(declared(&[read::CHUNKS, read::chunk::EMBEDDING]), none).unwrap();
        assert!(refused.starts_with("reads chunks.embedding"), "{refused}");
        let optional = declared(&[read::CHUNKS, read::chunk::EMBEDDING.if_given()]);
        assert_eq!(reason(optional, none), None);
        assert_eq!(reason(declared(&[read::EVENTS]), ""), None);
    }

    #[test]
    fn a_check_whose_condition_the_contract_does_not_meet_is_refused() {
        let check = || check().only_where([Condition::SIGNED_CALLBACKS]);
        assert_eq!(reason(check(), ""), None);
        let refused = reason(check(), "[callback]\nauth = 'none'").unwrap();
        assert!(refused.contains("contract.callback.auth"), "{refused}");
    }
}
