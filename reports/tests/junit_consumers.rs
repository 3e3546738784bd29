//! The golden run as two independent JUnit parsers read it.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use std::collections::{BTreeMap, BTreeSet};

use cutover_reports::render::{Junit, Render};
use cutover_reports::verdict::{CheckStatus, Verdict};
use junit_parser::{TestStatus, TestSuites};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

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

/// The expected test cases, derived from the verdict alone.
fn expected(verdict: &Verdict) -> Cases {
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
    checks.chain([run]).collect()
}

#[test]
fn both_parsers_find_every_check_once_with_its_result() {
    for (run, verdict) in [golden::run(), golden::passing_run()] {
        let xml = Junit.render(&run, &verdict);
        let expected = expected(&verdict);
        assert_eq!(expected.len(), verdict.checks.len() + 1);
        assert_eq!(parse_with_quick_junit(&xml), expected);
        assert_eq!(parse_with_junit_parser(&xml), expected);
    }
}

#[test]
fn the_golden_run_contains_every_element() {
    let (_, verdict) = golden::run();
    let elements: BTreeSet<_> = expected(&verdict).into_values().collect();
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
    let cases = expected(&verdict);
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
    assert_eq!(report.test_suites.len(), verdict.suites.len() + 1);
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
