//! The rules of the suites agree with the checks and with the seeded defects.

use std::collections::{BTreeMap, BTreeSet};

use cutover_harness::catalog::Catalog;
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::policy::Policy;
use cutover_harness::record::{Plan, Profile, Selection, Severity};
use cutover_harness::rule::Rule;
use cutover_harness::suite::Suite;
use cutover_harness::target_file::Target;

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
    "security::two_users_each_complete_a_document",
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

/// A plan of these suites for the embedded target.
fn planned(catalog: &Catalog, suites: &[&str]) -> Plan {
    let target = Target::parse(catalog.target.text, "target.toml").unwrap();
    let request = PlanRequest {
        run: "not-run".to_owned(),
        profile: Profile::Gate,
        seed: 0,
        selection: Selection {
            suites: suites.iter().map(|suite| (*suite).to_owned()).collect(),
            filters: Vec::new(),
        },
        defect: None,
    };
    plan(catalog, &target, &Policy::default_gate(), &request).unwrap()
}

#[test]
fn a_plan_has_the_rules_that_its_suites_list_or_prove() {
    let catalog = cutover::catalog();
    let ids = |suites: &[&str]| -> BTreeSet<String> {
        let rules = planned(&catalog, suites).rules.into_iter();
        rules.map(|rule| rule.id).collect()
    };
    let all = catalog.rules().len();
    assert_eq!((ids(&[]).len(), ids(&["security"]).len()), (all, all));
    let smoke = ids(&["smoke"]);
    assert!(
        smoke.contains("AUTH-01") && !smoke.contains("TEN-01"),
        "{smoke:?}"
    );
    assert!(ids(&["pipeline"]).contains("TEN-01"));
}

#[test]
fn critical_isolation_is_never_waived_in_production() {
    let catalog = cutover::catalog();
    let (mut plan, rules) = (planned(&catalog, &["smoke"]), catalog.rules());
    let head =
        "schema = 1\nname = \"x\"\nmax_age = \"2h\"\n[[suite]]\nid = \"smoke\"\nrequired = true\n";
    let today = plan.created_at.date();
    for class in ["staging", "production"] {
        class.clone_into(&mut plan.target.class);
        for rule in &rules {
            let waiver = format!(
                "[[waiver]]\nrule = \"{}\"\nowner = \"ada\"\nreason = \"known\"\nticket = \"T-1\"\nexpires = {today}\n",
                rule.id
            );
            let policy = Policy::parse(&format!("{head}{waiver}"), "x.toml").unwrap();
            let is_isolation = rule.id.starts_with("TEN-") || rule.id.starts_with("RLS-");
            let is_refused =
                class == "production" && is_isolation && rule.severity == Severity::Critical;
            let validated = policy.validate_against(&plan, &rules);
            assert_eq!(validated.is_err(), is_refused, "{}: {validated:?}", rule.id);
        }
    }
}
