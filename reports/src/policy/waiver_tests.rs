//! Waivers against a plan: what they name, how long they last, and where they are refused.

use proptest::prelude::*;
use time::{Date, Duration};

use super::Policy;
use crate::record::{
    Admission, Criticality, Effect, PLAN_VERSION, Plan, PlannedCheck, PlannedRule, Profile,
    Selection, Severity, Source, TargetSummary,
};

const DAY: Date = time::macros::date!(2026 - 11 - 24);
const HEAD: &str =
    "schema = 1\nname = \"x\"\nmax_age = \"2h\"\n[[suite]]\nid = \"p\"\nrequired = true\n";

fn policy(subject: &str, expires: Date) -> Policy {
    let waiver = format!(
        "[[waiver]]\n{subject}\nowner = \"me\"\nreason = \"x\"\nticket = \"T-1\"\nexpires = {expires}\n"
    );
    Policy::parse(&format!("{HEAD}{waiver}"), "x.toml").unwrap()
}

fn rule(id: &str, severity: Severity, isolation: bool, check: &str) -> PlannedRule {
    PlannedRule {
        id: id.to_owned(),
        statement: "it holds".to_owned(),
        severity,
        owasp: vec!["API1".to_owned()],
        cwe: vec![639],
        asvs: Vec::new(),
        remedy: "Mend it.".to_owned(),
        isolation,
        checks: vec![check.to_owned()],
        unproved: None,
    }
}

fn rules() -> Vec<PlannedRule> {
    vec![
        rule("TEN-01", Severity::Critical, true, "p::isolated"),
        rule("TEN-16", Severity::Low, true, "p::looks_unknown"),
        rule("AUTH-01", Severity::Critical, false, "p::authenticated"),
        // Of a suite that is not selected.
        rule("HDR-02", Severity::Low, false, "q::headers"),
    ]
}

fn plan(class: &str) -> Plan {
    let checks = ["isolated::row", "looks_unknown", "authenticated", "other"];
    let checks = checks.map(|name| PlannedCheck {
        id: format!("p::{name}").parse().unwrap(),
        statement: "it holds".to_owned(),
        severity: Severity::High,
        criticality: Criticality::Required,
        effect: Effect::Read,
        needs: Vec::new(),
        lacks: Vec::new(),
        timeout_ms: 1,
        takes_ms: 0,
        is_sample: false,
        source: Source {
            file: "a.rs".to_owned(),
            line: 1,
        },
        admission: Admission::Admitted,
    });
    Plan {
        v: PLAN_VERSION,
        run: "r".to_owned(),
        created_at: DAY.midnight().assume_utc(),
        cutover: "0".to_owned(),
        profile: Profile::Gate,
        seed: 1,
        target: TargetSummary {
            name: "t".to_owned(),
            class: class.to_owned(),
            stack: "processes".to_owned(),
            file: None,
            defect: None,
        },
        selection: Selection::default(),
        checks: checks.into(),
        rules: Vec::new(),
    }
}

/// The error of a waiver for a run on a target of a class, if there is one.
fn error(subject: &str, expires: Date, class: &str) -> Option<String> {
    let policy = policy(subject, expires);
    let validated = policy.validate_against(&plan(class), &rules());
    validated.err().map(|error| error.to_string())
}

#[test]
fn a_waiver_of_what_does_not_exist_is_an_error_with_its_place_and_remedy() {
    for (subject, expected) in [
        (
            "check = \"p::misspelt\"",
            "x.toml:8: key 'waiver.check' names 'p::misspelt', and no check has this id; `cutover list` shows all",
        ),
        (
            "rule = \"TEN-99\"",
            "x.toml:8: key 'waiver.rule' names 'TEN-99', and no rule has this id; `cutover list --suite security",
        ),
    ] {
        let error = error(subject, DAY, "local").expect("an error");
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(error("rule = \"HDR-02\"", DAY, "local"), None);
    assert_eq!(error("check = \"p::other\"", DAY, "local"), None);
}

#[test]
fn only_critical_isolation_cannot_be_waived_and_only_in_production() {
    let print = format!("fingerprint = \"{}\"", "0a".repeat(16));
    for (subject, is_refused) in [
        ("rule = \"TEN-01\"", true),
        ("check = \"p::isolated::row\"", true),
        ("rule = \"TEN-16\"", false),
        ("check = \"p::looks_unknown\"", false),
        ("rule = \"AUTH-01\"", false),
        ("check = \"p::authenticated\"", false),
        ("check = \"p::other\"", false),
        (print.as_str(), false),
    ] {
        for class in ["local", "staging", "production"] {
            let error = error(subject, DAY, class);
            assert_eq!(
                error.is_some(),
                is_refused && class == "production",
                "{subject}: {error:?}"
            );
            if let Some(error) = error {
                let key = subject.split(' ').next().unwrap();
                assert!(
                    error.contains(&format!("x.toml:8: key 'waiver.{key}'")),
                    "{error}"
                );
                assert!(
                    error.contains("no waiver is accepted for TEN-01"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn the_error_of_a_long_waiver_names_the_latest_day() {
    let late = DAY + Duration::days(91);
    let error = error("rule = \"HDR-02\"", late, "local").expect("an error");
    let expected = "x.toml:12: key 'waiver.expires' is 2027-02-23, more than 90 days after the day of the run, \
                    2026-11-24; choose 2027-02-22 or an earlier day";
    assert_eq!(error, expected);
}

proptest! {
    #[test]
    fn a_waiver_lasts_at_most_ninety_days_and_is_valid_through_its_last(days in -400_i64..400, later in 0_i64..400) {
        let expires = DAY + Duration::days(days);
        let refused = error("check = \"p::other\"", expires, "local").is_some();
        prop_assert_eq!(refused, days > 90);
        let waiver = policy("check = \"p::other\"", expires).waivers[0].clone();
        let today = DAY + Duration::days(later);
        prop_assert_eq!(waiver.is_valid_on(today), later <= days);
    }
}

#[test]
fn a_failure_that_a_waiver_may_cover_does_not_end_a_run() {
    let it = "p::other".parse().unwrap();
    let print = format!("fingerprint = \"{}\"", "0a".repeat(16));
    for (subject, expected) in [
        ("check = \"p::other\"", false),
        ("check = \"p::authenticated\"", true),
        ("rule = \"HDR-02\"", false),
        (print.as_str(), false),
    ] {
        let policy = policy(subject, DAY);
        assert_eq!(
            policy.is_no_go(&it, Severity::High, DAY),
            expected,
            "{subject}"
        );
        let after = DAY.next_day().unwrap();
        assert!(
            policy.is_no_go(&it, Severity::High, after),
            "{subject} has expired"
        );
        assert!(
            !policy.is_no_go(&it, Severity::Medium, after),
            "below the bar"
        );
    }
}
