//! Parsing of policies, and the errors for invalid ones.

use time::{Date, Month};

use super::Policy;
use crate::record::{Admission, Criticality, Effect, PlannedCheck, Profile, Severity, Source};

const HEAD: &str = "schema = 1\nname = \"x\"\nbar = \"high\"\nmax_age = \"2h\"\n";
const SUITE: &str = "[[suite]]\nid = \"pipeline\"\nrequired = true\n";
const WAIVER: &str = "[[waiver]]\ncheck = \"pipeline::a\"\nowner = \"me\"\nreason = \"x\"\nticket = \"T-1\"\nexpires = 2026-12-31\n";
const OBJECTIVE: &str = "[[objective]]\ncheck = \"pipeline::a\"\nexpect = \"time < 10 s\"\n";

fn parse_error(text: &str) -> String {
    Policy::parse(text, "x.toml")
        .expect_err("the policy should be rejected")
        .to_string()
}

#[test]
fn the_default_policy_parses() {
    let policy = Policy::default_gate();
    assert_eq!(policy.bar, Severity::High);
    assert!(policy.requires("pipeline"));
}

#[test]
fn a_waiver_is_valid_through_its_last_day() {
    let policy = Policy::parse(&format!("{HEAD}{SUITE}{WAIVER}"), "x.toml").unwrap();
    let day = |day| Date::from_calendar_date(2026, Month::December, day).unwrap();
    assert!(policy.waivers[0].is_valid_on(day(31)));
    assert!(!policy.waivers[0].is_valid_on(day(31).next_day().unwrap()));
}

#[test]
fn an_error_names_the_file_the_line_and_the_key() {
    let table = [
        (
            format!("{HEAD}barr = 1\n{SUITE}"),
            "x.toml:5: unknown field `barr`",
        ),
        (
            HEAD.replace("high", "highest") + SUITE,
            "x.toml:3: unknown variant `highest`",
        ),
        (
            HEAD.replace("2h", "2 hours") + SUITE,
            "x.toml:4: '2 hours' is not a duration",
        ),
        (
            HEAD.replace("schema = 1", "schema = 2") + SUITE,
            "x.toml:1: key 'schema' must be 1",
        ),
        (
            format!("{HEAD}{}", SUITE.replace("true", "false")),
            "x.toml:7: key 'suite.required' is true for no suite",
        ),
        (
            format!("{HEAD}{SUITE}{SUITE}"),
            "x.toml:9: key 'suite.id' names 'pipeline' twice",
        ),
        (
            HEAD.to_owned() + "suite = []\n",
            "x.toml:1: key 'suite.required' is true for no suite",
        ),
        (HEAD.to_owned(), "x.toml:1: missing field `suite`"),
    ];
    for (text, expected) in table {
        let error = parse_error(&text);
        assert!(error.contains(expected), "'{expected}' is not in '{error}'");
    }
}

#[test]
fn an_error_about_a_waiver_names_the_file_the_line_and_the_key() {
    let table = [
        (
            format!("{HEAD}{SUITE}{WAIVER}{WAIVER}"),
            "x.toml:15: key 'waiver.check' names 'pipeline::a' twice",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("\"me\"", "\" \"")),
            "x.toml:10: key 'waiver.owner' is empty; name who is responsible",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("\"x\"", "\"\"")),
            "x.toml:11: key 'waiver.reason' is empty; state why it is accepted",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("T-1", "")),
            "x.toml:12: key 'waiver.ticket' is empty; name the ticket",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("ticket = \"T-1\"\n", "")),
            "x.toml:8: missing field `ticket`",
        ),
        (
            format!("{HEAD}{SUITE}{WAIVER}rule = \"HDR-02\"\n"),
            "x.toml:14: key 'waiver.rule' names not exactly one of check, rule and fingerprint",
        ),
        (
            format!(
                "{HEAD}{SUITE}{}",
                WAIVER.replace("check = \"pipeline::a\"\n", "")
            ),
            "key 'waiver.check' names not exactly one of check, rule and fingerprint",
        ),
        (
            format!(
                "{HEAD}{SUITE}{}",
                WAIVER.replace("check = \"pipeline::a\"", "fingerprint = \"12AB\"")
            ),
            "x.toml:9: key 'waiver.fingerprint' is no fingerprint of 32 digits",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("pipeline::a", "a")),
            "x.toml:9: 'a' is not a check id",
        ),
        (
            format!("{HEAD}{SUITE}{}", WAIVER.replace("2026-12-31", "\"soon\"")),
            "x.toml:13",
        ),
    ];
    for (text, expected) in table {
        let error = parse_error(&text);
        assert!(error.contains(expected), "'{expected}' is not in '{error}'");
    }
}

#[test]
fn an_objective_that_cannot_be_used_is_explained() {
    let table = [
        (
            format!("{HEAD}{SUITE}{}", OBJECTIVE.replace('<', "below")),
            "x.toml:10: 'time below 10 s' is no objective: no operator",
        ),
        (
            format!("{HEAD}{SUITE}{OBJECTIVE}{OBJECTIVE}"),
            "x.toml:13: key 'objective.expect' is 'time < 10 s' twice",
        ),
    ];
    for (text, expected) in table {
        let error = parse_error(&text);
        assert!(error.contains(expected), "'{expected}' is not in '{error}'");
    }
}

#[test]
fn a_profile_without_rounds_or_with_an_invalid_time_budget_is_rejected() {
    for (line, expected) in [
        ("rounds = 0", "expected a nonzero u32"),
        ("time_budget = \"long\"", "'long' is not a duration"),
        (
            "soak = \"0s\"",
            "a soak takes more than 0s and at most 90m, not 0s",
        ),
        (
            "soak = \"2h\"",
            "a soak takes more than 0s and at most 90m, not 2h",
        ),
    ] {
        let profile = format!("[profile.soak]\neffects = \"read\"\n{line}\n");
        let error = parse_error(&format!("{HEAD}{SUITE}{profile}"));
        assert!(
            error.starts_with("x.toml:10: ") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn a_profile_sets_the_number_of_rounds_and_the_time_budget() {
    let policy = Policy::default_gate();
    let times = |profile| {
        (
            policy.rounds(profile),
            policy.time_budget(profile).map(|it| it.as_secs()),
        )
    };
    assert_eq!(times(Profile::Gate), (1, Some(1_800)));
    assert_eq!(times(Profile::Soak), (1_000, Some(28_800)));
    assert_eq!(policy.soak(Profile::Soak).map(|it| it.as_secs()), Some(60));
    assert_eq!(policy.soak(Profile::Gate), None);
    let bare = Policy::parse(&format!("{HEAD}{SUITE}"), "x.toml").unwrap();
    assert_eq!(
        (bare.rounds(Profile::Gate), bare.time_budget(Profile::Gate)),
        (1, None)
    );
}

#[test]
fn the_defaults_are_strict_on_severity_and_waive_nothing() {
    let policy = Policy::parse(
        &format!("{}{SUITE}", HEAD.replace("bar = \"high\"\n", "")),
        "x.toml",
    );
    let policy = policy.unwrap();
    assert_eq!(policy.bar, Severity::High);
    assert!(!policy.strict && policy.waivers.is_empty());
}

#[test]
fn the_schema_has_the_same_keys_as_the_parser() {
    let schema = serde_json::to_value(schemars::schema_for!(Policy)).unwrap();
    let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "bar",
            "max_age",
            "name",
            "objective",
            "profile",
            "schema",
            "strict",
            "suite",
            "waiver"
        ]
    );
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["required"],
        serde_json::json!(["schema", "name", "max_age", "suite"])
    );
}

#[test]
fn a_profile_excludes_checks_that_take_longer() {
    let policy = Policy::default_gate();
    let mut check = PlannedCheck {
        id: "pipeline::a".parse().unwrap(),
        statement: "a".to_owned(),
        severity: Severity::High,
        criticality: Criticality::Required,
        effect: Effect::Read,
        needs: Vec::new(),
        lacks: Vec::new(),
        timeout_ms: 60_000,
        takes_ms: 2_000,
        is_sample: false,
        source: Source {
            file: "a.rs".to_owned(),
            line: 1,
        },
        admission: Admission::Admitted,
    };
    assert!(policy.includes(Profile::Quick, &check));
    check.takes_ms = 2_001;
    assert!(!policy.includes(Profile::Quick, &check));
    assert!(policy.includes(Profile::Gate, &check));
    check.is_sample = true;
    assert!(
        policy.includes(Profile::Quick, &check),
        "it stands for others"
    );
    assert!(!policy.includes(Profile::Smoke, &check));
}
