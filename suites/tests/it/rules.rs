//! The rules of the suites agree with the checks and with the seeded defects.

use std::collections::{BTreeMap, BTreeSet};

use cutover_harness::catalog::Catalog;
use cutover_harness::record::Severity;
use cutover_harness::rule::Rule;
use cutover_harness::suite::Suite;

/// The number of rules of the security suite, by topic: none is left out without a reason.
const TOPICS: [(&str, usize); 12] = [
    ("AUTH", 19),
    ("TEN", 21),
    ("RLS", 17),
    ("STO", 13),
    ("WHK", 13),
    ("INP", 9),
    ("UPL", 12),
    ("HDR", 4),
    ("TLS", 5),
    ("SEC", 9),
    ("RL", 4),
    ("DOS", 4),
];

fn rules(catalog: &Catalog) -> Vec<&'static Rule> {
    let suites = catalog.suites.iter();
    suites.flat_map(Suite::rules).collect()
}

/// Whether this is the check of that name, or a row of it.
fn is_of(id: &str, name: &str) -> bool {
    let rest = id.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn every_rule_of_the_catalogue_is_there() {
    let catalog = cutover::catalog();
    let mut expected = BTreeSet::new();
    for (topic, number) in TOPICS {
        expected.extend((1..=number).map(|number| format!("{topic}-{number:02}")));
    }
    let rules = rules(&catalog);
    let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids, expected);
    assert_eq!(rules.len(), expected.len(), "a rule is listed twice");
}

#[test]
fn every_check_that_a_rule_names_exists() {
    let catalog = cutover::catalog();
    let ids: Vec<_> = catalog
        .suites
        .iter()
        .flat_map(Suite::check_ids)
        .map(ToString::to_string)
        .collect();
    for rule in rules(&catalog) {
        for name in rule.checks() {
            let exists = ids.iter().any(|id| is_of(id, name));
            assert!(exists, "{}: '{name}' does not exist", rule.id);
        }
    }
}

#[test]
fn every_check_of_the_security_suite_proves_a_rule() {
    let catalog = cutover::catalog();
    let rules = rules(&catalog);
    let suite = catalog
        .suites
        .iter()
        .find(|suite| suite.name() == "security");
    let mut proving: BTreeMap<String, bool> = BTreeMap::new();
    for id in suite.expect("the security suite").check_ids() {
        let check = id
            .to_string()
            .splitn(3, "::")
            .take(2)
            .collect::<Vec<_>>()
            .join("::");
        let mut named = rules.iter().flat_map(|rule| rule.checks());
        let proves = named.any(|name| is_of(id.as_str(), name));
        *proving.entry(check).or_default() |= proves;
    }
    let useless: Vec<_> = proving
        .iter()
        .filter(|(check, proves)| !**proves && !BEYOND_THE_CATALOGUE.contains(&check.as_str()))
        .map(|(check, _)| check)
        .collect();
    assert!(
        useless.is_empty(),
        "no rule names these checks: {useless:?}"
    );
}

/// Checks of the suite whose statements no rule of the catalogue makes.
const BEYOND_THE_CATALOGUE: &[&str] = &[
    "security::log_lines_carry_job_and_request_ids",
    "security::the_database_refuses_impossible_rows",
    "security::the_services_cannot_rewrite_what_identifies_a_row",
];

#[test]
fn a_serious_rule_is_shown_by_a_seeded_defect() {
    let catalog = cutover::catalog();
    let defects: Vec<_> = catalog.defects().collect();
    let is_serious = |rule: &&Rule| rule.severity >= Severity::High;
    for rule in rules(&catalog).into_iter().filter(is_serious) {
        let checks = rule.checks();
        let is_shown = defects
            .iter()
            .flat_map(|defect| defect.checks)
            .any(|named| {
                checks
                    .iter()
                    .any(|check| named.starts_with(check) || check.starts_with(named))
            });
        assert!(
            is_shown || checks.is_empty(),
            "{}: no seeded defect fails its checks",
            rule.id
        );
    }
}
