//! Refuses checks that need what the contract of a target does not have: tables, columns, other properties.

use std::collections::BTreeSet;

use cutover_contract::contract::Contract;
use cutover_reports::record::{Admission, SkipClass};

use crate::suite::Case;

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

/// The keys of the contract without which a check cannot run, although its statement applies.
pub(crate) fn lacking_keys(case: &Case, contract: &Contract) -> Vec<String> {
    let reads = case.required_reads();
    let reads = reads.filter_map(|read| contract.database.missing_key(read));
    let conditions = case.conditions().filter(|each| !(each.holds)(contract));
    let conditions = conditions.filter_map(|each| each.key).map(str::to_owned);
    let keys: BTreeSet<_> = reads.chain(conditions).collect();
    keys.into_iter().collect()
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
        let broken = case
            .conditions()
            .find(|condition| !(condition.holds)(contract));
        broken.map(|condition| (condition.class, condition.reason.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use cutover_contract::contract::read;

    use super::*;
    use crate::check::Check;
    use crate::condition::Condition;
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
    fn the_keys_that_a_check_lacks_are_named_once() {
        let none = "[database]\ntables = { events = 'none' }\n[callback]\nauth = 'none'";
        let contract =
            Contract::parse_with_overrides(DEFAULT, &none.parse().unwrap(), "x.toml").unwrap();
        let check = check()
            .reads([read::EVENTS, read::event::CODE])
            .only_where([Condition::SIGNED_CALLBACKS, Condition::EMPTY_PAGE]);
        let suite = Suite::new("suite", "about", [check]);
        assert_eq!(
            lacking_keys(&suite.cases()[0], &contract),
            ["contract.callback.auth", "contract.database.tables.events"]
        );
    }

    #[test]
    fn a_check_whose_condition_the_contract_does_not_meet_is_refused() {
        let check = || check().only_where([Condition::SIGNED_CALLBACKS]);
        assert_eq!(reason(check(), ""), None);
        let refused = reason(check(), "[callback]\nauth = 'none'").unwrap();
        assert!(refused.contains("contract.callback.auth"), "{refused}");
    }
}
