//! A check whose statement is about an absent endpoint is refused in the plan, and no other check misses one.

use std::fs;

use cutover_harness::contract::Endpoint;
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::policy::Policy;
use cutover_harness::record::{Admission, Effect, Plan, Profile, Selection};
use cutover_harness::suite::Suite;
use cutover_harness::target_file::Target;

use crate::test_home;

/// The target file of cutover's own stack.
const LOCAL: &str = include_str!("../../../fixtures/targets/local.toml");

/// A target file with these overrides of the routes.
fn with_absent(endpoints: &[Endpoint]) -> String {
    let tables = endpoints
        .iter()
        .map(|endpoint| format!("\n[contract.routes.{endpoint}]\npresence = \"absent\"\n"));
    LOCAL.to_owned() + &tables.collect::<String>()
}

fn planned(target: &str, profile: Profile) -> Plan {
    let target = Target::parse(target, "target.toml").unwrap();
    let request = PlanRequest {
        run: "not-run".to_owned(),
        profile,
        seed: 0,
        selection: Selection::default(),
        defect: None,
    };
    let (catalog, policy) = (cutover::catalog(), Policy::default_gate());
    plan(&catalog, &target, &policy, &request).unwrap()
}

/// The ids of the checks that are refused with this reason.
fn refused(plan: &Plan, expected: &str) -> Vec<String> {
    let checks = plan.checks.iter();
    let refused = checks.filter(|check| {
        matches!(&check.admission, Admission::Refused { reason, .. } if reason.contains(expected))
    });
    refused.map(|check| check.id.to_string()).collect()
}

#[test]
fn a_check_about_an_absent_endpoint_is_refused_by_its_name() {
    let catalog = cutover::catalog();
    for endpoint in Endpoint::ALL {
        let plan = planned(&with_absent(&[endpoint]), Profile::Gate);
        let reason = format!("the contract declares endpoint '{endpoint}' absent");
        let cases = catalog.suites.iter().flat_map(Suite::cases);
        let about = cases.filter(|case| case.calls.contains(&endpoint));
        let about: Vec<_> = about.map(|case| case.id.to_string()).collect();
        assert_eq!(refused(&plan, &reason), about, "{endpoint}");
        let all = plan.checks.len();
        assert!(
            !about.is_empty() && about.len() < all,
            "{endpoint}: {} of {all}",
            about.len()
        );
    }
}

#[test]
fn without_search_and_deletion_the_smoke_suite_keeps_its_main_check() {
    let plan = planned(
        &with_absent(&[Endpoint::Search, Endpoint::DeleteDocument]),
        Profile::Smoke,
    );
    let main = "smoke::a_synthetic_document_arrives_for_its_owner_alone";
    let mut checks = plan.checks.iter();
    assert!(checks.any(|check| check.id.as_str() == main && check.is_admitted()));
}

#[test]
fn nothing_is_written_to_production_without_a_way_to_delete() {
    let target = "schema = 1\nname = \"p\"\nclass = \"production\"\n[api]\nurl = \"https://p.example.org\"\n\
                  [identity]\ntokens = [{ env = \"A\" }, { env = \"B\" }]\n";
    let absent = "[contract.routes.delete_document]\npresence = \"absent\"\n";
    let is_written = |plan: &Plan| {
        let mut checks = plan.checks.iter();
        checks.any(|check| check.is_admitted() && check.effect >= Effect::WriteTenant)
    };
    assert!(is_written(&planned(target, Profile::Smoke)));
    let plan = planned(&format!("{target}{absent}"), Profile::Smoke);
    assert!(!is_written(&plan));
    assert!(!refused(&plan, "has no way to delete them").is_empty());
}

/// Endpoints that a pipeline of this kind may well not have.
const MISSING: [Endpoint; 7] = [
    Endpoint::Document,
    Endpoint::DeleteDocument,
    Endpoint::Search,
    Endpoint::Limits,
    Endpoint::Retry,
    Endpoint::Metrics,
    Endpoint::Jobs,
];

#[test]
#[ignore = "runs all checks that can run, for minutes"]
fn no_admitted_check_is_skipped_for_an_absent_endpoint() {
    let home = test_home();
    home.write("missing.toml", &with_absent(&MISSING));
    let run = home.run(["validate", "--target", "missing.toml", "--output", "runs"]);
    let mut skipped = Vec::new();
    for trial in fs::read_dir(home.path("runs/latest/trials"))
        .unwrap()
        .flatten()
    {
        let journal = fs::read_to_string(trial.path()).unwrap();
        if journal
            .lines()
            .last()
            .unwrap_or_default()
            .contains("' absent\"")
        {
            skipped.push(trial.file_name());
        }
    }
    assert!(
        skipped.is_empty(),
        "these call an absent endpoint; add it to `.calls(..)`, or let them do without: {skipped:?} {run:?}"
    );
}
