//! The golden run as two independent JUnit parsers read it.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use std::collections::{BTreeMap, BTreeSet};

use cutover_reports::record::{PlannedRule, Run};
use cutover_reports::render::{Junit, Render};
use cutover_reports::verdict::{CheckStatus, Verdict};
use junit_parser::{TestStatus, TestSuites};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus, TestSuite};

/// The test cases by class and name, with the XML element of their result.
type Cases = BTreeMap<(String, String), &'static str>;

fn parse_with_quick_junit(xml: &str) -> Cases {
    let report = Report::deserialize_from_str(xml).unwrap();
    let cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    let cases = cases.map(|case| {
        let class = case.classname.as_ref().unwrap().to_string();
        let element = match &case.status {
            TestCaseStatus::Success { .. } => "none",
            TestCaseStatus::NonSuccess {
                kind: NonSuccessKind::Failure,
                ..
            } => "failure",
            TestCaseStatus::NonSuccess {
                kind: NonSuccessKind::Error,
                ..
            } => "error",
            TestCaseStatus::Skipped { .. } => "skipped",
        };
        ((class, case.name.to_string()), element)
    });
    cases.collect()
}

fn parse_with_junit_parser(xml: &str) -> Cases {
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    let cases = report.suites.iter().flat_map(|suite| &suite.cases);
    let cases = cases.map(|case| {
        let element = match &case.status {
            TestStatus::Success => "none",
            TestStatus::Failure(_) => "failure",
            TestStatus::Error(_) => "error",
            TestStatus::Skipped(_) => "skipped",
        };
        let class = case.classname.clone().unwrap();
        ((class, case.original_name.clone()), element)
    });
    cases.collect()
}

/// The expected test cases, derived from the verdict and the states of the rules alone.
fn expected(run: &Run, verdict: &Verdict) -> Cases {
    let rules = run.plan.as_ref().unwrap().rules.iter();
    let rules = rules.map(|rule| {
        let class = "cutover.rules".to_owned();
        ((class, rule.id.clone()), rule_element(rule, verdict))
    });
    let run = verdict.reasons.iter().any(|reason| reason.check.is_none());
    let run = (
        ("cutover".to_owned(), "the_run_is_whole".to_owned()),
        if run { "error" } else { "none" },
    );
    let checks = verdict.checks.iter().map(|check| {
        let element = match check.status {
            CheckStatus::Passed => "none",
            CheckStatus::Failed => "failure",
            CheckStatus::Errored | CheckStatus::NotRun => "error",
            CheckStatus::Skipped => "skipped",
        };
        let class = format!("cutover.{}", check.id.suite());
        ((class, check.id.name().to_owned()), element)
    });
    checks.chain([run]).chain(rules).collect()
}

/// The element of a rule: the worst of its checks decides, and without a result it is skipped.
fn rule_element(rule: &PlannedRule, verdict: &Verdict) -> &'static str {
    let checks = verdict.checks.iter();
    let proving = checks.filter(|check| rule.is_proved_by(&check.id));
    let statuses: BTreeSet<_> = proving.map(|check| check.status).collect();
    let has = |status| statuses.contains(&status);
    if has(CheckStatus::Failed) {
        "failure"
    } else if has(CheckStatus::Errored) || has(CheckStatus::NotRun) {
        "error"
    } else if has(CheckStatus::Passed) {
        "none"
    } else {
        "skipped"
    }
}

#[test]
fn both_parsers_find_every_check_once_with_its_result() {
    for (run, verdict) in [golden::run(), golden::passing_run()] {
        let xml = Junit.render(&run, &verdict);
        let expected = expected(&run, &verdict);
        let rules = run.plan.as_ref().unwrap().rules.len();
        assert_eq!(expected.len(), verdict.checks.len() + 1 + rules);
        assert_eq!(parse_with_quick_junit(&xml), expected);
        assert_eq!(parse_with_junit_parser(&xml), expected);
    }
}

#[test]
fn the_golden_run_contains_every_element() {
    let (run, verdict) = golden::run();
    let elements: BTreeSet<_> = expected(&run, &verdict).into_values().collect();
    assert_eq!(
        elements,
        BTreeSet::from(["none", "failure", "error", "skipped"])
    );
}

fn totals(report: &TestSuites) -> [u64; 4] {
    [report.tests, report.failures, report.errors, report.skipped]
}

#[test]
fn the_totals_match_the_test_cases() {
    let (run, verdict) = golden::run();
    let xml = Junit.render(&run, &verdict);
    let cases = expected(&run, &verdict);
    let of = |element| cases.values().filter(|it| **it == element).count() as u64;
    let counted = [
        cases.len() as u64,
        of("failure"),
        of("error"),
        of("skipped"),
    ];
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    assert_eq!(totals(&report), counted);
    let report = Report::deserialize_from_str(&xml).unwrap();
    let read = [report.tests, report.failures, report.errors, report.skipped];
    assert_eq!(read.map(|count| count as u64), counted);
}

#[test]
fn times_are_in_seconds_and_messages_are_short_lines() {
    let (run, verdict) = golden::run();
    let xml = Junit.render(&run, &verdict);
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    let cases: Vec<_> = report
        .suites
        .iter()
        .flat_map(|suite| &suite.cases)
        .collect();
    let named = |name: &str| {
        *cases
            .iter()
            .find(|case| case.original_name == name)
            .unwrap()
    };
    let drained = named("the_queue_drains");
    assert!((drained.time - 30.0).abs() < f64::EPSILON);
    let long = named("a_long_response_is_parsed");
    let TestStatus::Failure(failure) = &long.status else {
        panic!("expected a failure: {long:?}");
    };
    assert!(
        failure
            .message
            .starts_with("the response is one line of 100 kB: AAA")
    );
    assert!(failure.message.chars().count() < 400 && !failure.message.contains('\n'));
    for case in cases {
        let output = case.system_out.as_deref().unwrap_or_default();
        assert!(output.len() <= 64 * 1024, "{}", case.original_name);
    }
}

#[test]
fn long_evidence_is_truncated_with_the_name_of_the_complete_file() {
    let (mut run, _) = golden::run();
    for trial in &mut run.trials {
        trial.evidence = [trial.evidence.as_slice()].repeat(1_000).concat();
    }
    let (run, verdict) = golden::judged(run);
    let xml = Junit.render(&run, &verdict);
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    let cases = report.suites.iter().flat_map(|suite| &suite.cases);
    let outputs: Vec<_> = cases.filter_map(|case| case.system_out.as_ref()).collect();
    assert_eq!(outputs.len(), 7);
    for output in outputs {
        let end = "… the complete output is in trials/pipeline--";
        assert!(output.len() <= 64 * 1024 && output.contains(end));
    }
}

#[test]
fn every_suite_names_its_run() {
    let (run, verdict) = golden::run();
    let report = Report::deserialize_from_str(&Junit.render(&run, &verdict)).unwrap();
    assert_eq!(report.test_suites.len(), verdict.suites.len() + 2);
    for suite in &report.test_suites {
        let of = |name: &str| {
            let property = suite.properties.iter().find(|it| it.name.as_str() == name);
            property.unwrap().value.to_string()
        };
        assert_eq!(of("cutover.run"), "2026-11-24-golden");
        assert_eq!(of("cutover.decision"), "NO-GO");
        assert_eq!(of("cutover.target.defect"), "I-004");
        assert_eq!(of("cutover.seed"), "7");
    }
}

/// The state of a rule, its message, and its text or the kind of its skip.
fn rule_state(suite: &TestSuite, id: &str) -> (&'static str, String, String) {
    let mut cases = suite.test_cases.iter();
    let case = cases.find(|case| case.name.as_str() == id).unwrap();
    match &case.status {
        TestCaseStatus::Success { .. } => ("passed", String::new(), String::new()),
        TestCaseStatus::NonSuccess {
            kind,
            message,
            description,
            ..
        } => {
            let state = match kind {
                NonSuccessKind::Failure => "failed",
                NonSuccessKind::Error => "unknown",
            };
            let text = description.as_ref().unwrap().to_string();
            assert!(text.contains("\nremedy: "), "{id}: {text}");
            (state, message.as_ref().unwrap().to_string(), text)
        }
        TestCaseStatus::Skipped { message, ty, .. } => (
            "skipped",
            message.as_ref().unwrap().to_string(),
            ty.as_ref().unwrap().to_string(),
        ),
    }
}

#[test]
fn each_rule_is_a_case_with_its_finding_or_the_reason_why_it_is_unknown() {
    let (run, verdict) = golden::run();
    let xml = Junit.render(&run, &verdict);
    let report = Report::deserialize_from_str(&xml).unwrap();
    let mut suites = report.test_suites.iter();
    let suite = suites.find(|suite| suite.name.as_str() == "security rules");
    let state = |id| rule_state(suite.unwrap(), id);
    assert_eq!(state("SEC-08").0, "passed");
    let (violated, message, text) = state("TEN-15");
    assert_eq!(violated, "failed");
    let expected = "pipeline::the_same_bytes_are_one_document: two documents hold the same bytes";
    assert_eq!(message, expected);
    assert!(
        text.contains("rerun: cutover validate --check pipeline::the_same_bytes"),
        "{text}"
    );
    assert_eq!(state("UPL-11").0, "failed", "one of two checks failed");
    assert_eq!(state("WHK-10").0, "unknown");
    for (id, ty, reason) in [
        (
            "TEN-21",
            "not_applicable",
            "does not apply: the contract has no subscriptions",
        ),
        (
            "HDR-02",
            "open",
            "not checked: the contract does not say which headers a target sends",
        ),
        (
            "RLS-17",
            "not_run",
            "not run: extra::a_slow_client_is_served: not selected by --suite pipeline",
        ),
    ] {
        let expected = ("skipped", reason.to_owned(), ty.to_owned());
        assert_eq!(state(id), expected);
    }
}

#[test]
fn a_run_without_rules_has_no_suite_of_rules() {
    let (mut run, _) = golden::run();
    run.plan.as_mut().unwrap().rules.clear();
    let (run, verdict) = golden::judged(run);
    let xml = Junit.render(&run, &verdict);
    let report = Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(report.test_suites.len(), verdict.suites.len() + 1);
    assert_eq!(report.tests, verdict.checks.len() + 1);
}
