//! `junit.xml`: the run for test dashboards, in the dialect that Jenkins and Surefire share.
//!
//! *Wrong* is a `<failure>`, *could not tell* an `<error>`. What speaks against
//! the run as a whole is a test case of its own, so that a dashboard which
//! knows nothing of verdicts does not show an incomplete run in green.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use time::format_description::well_known::Rfc3339;

use super::Render;
use super::evidence::{found, observed};
use super::span::from_ms;
use super::story::{Chapter, Story};
use super::text::{beginning, line};
use crate::record::{Run, RunEvent, SkipClass};
use crate::verdict::{Reason, Status, Verdict};

/// How long a message in an attribute may be, in characters.
const LONGEST_MESSAGE: usize = 300;
/// How much evidence a test case may carry, in bytes.
const LONGEST_OUTPUT: usize = 64 * 1024;
/// How many reasons about the run are spelt out.
const MOST_REASONS: usize = 50;

/// The run as JUnit XML.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Render for Junit {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let written = report(run, verdict).to_string();
        // A comment alone is no document, so that no reader takes it for a run without failures.
        written.unwrap_or_else(|error| format!("<!-- {} -->\n", line(&error.to_string(), 200)))
    }
}

fn report(run: &Run, verdict: &Verdict) -> Report {
    let story = Story::of(run, verdict);
    let metadata = metadata(run, verdict);
    let mut report = Report::new("cutover");
    if let Some(duration) = verdict.duration_ms.and_then(from_ms) {
        report.set_time(duration);
    }
    report.add_test_suite(of_the_run(run, verdict, &metadata));
    for counted in &verdict.suites {
        let chapters = story.all.iter();
        let cases = chapters.filter(|chapter| chapter.judged.id.suite() == counted.suite);
        let cases = cases.map(test_case).collect();
        report.add_test_suite(suite(&counted.suite, cases, run, &metadata));
    }
    report
}

fn suite(name: &str, cases: Vec<TestCase>, run: &Run, metadata: &[Property]) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_properties(metadata.to_vec());
    suite.set_time(total(&cases));
    let made = run
        .plan
        .as_ref()
        .map(|plan| plan.created_at.format(&Rfc3339));
    if let Some(Ok(made)) = made {
        suite.extra.insert("timestamp".into(), made.into());
    }
    suite.add_test_cases(cases);
    suite
}

/// How long cases took together; a journal may claim any length, and a sum must not panic.
fn total(cases: &[TestCase]) -> Duration {
    let times = cases.iter().filter_map(|case| case.time);
    times.fold(Duration::ZERO, Duration::saturating_add)
}

/// The statement that the run is evidence at all, as a test case.
fn of_the_run(run: &Run, verdict: &Verdict, metadata: &[Property]) -> TestSuite {
    let against: Vec<&Reason> = verdict
        .reasons
        .iter()
        .filter(|reason| reason.check.is_none())
        .collect();
    let status = match against.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let shown = against.iter().take(MOST_REASONS);
            let all: Vec<_> = shown
                .map(|reason| line(&reason.text, LONGEST_MESSAGE))
                .collect();
            unhappy(NonSuccessKind::Error, "run", &first.text, &all.join("\n"))
        }
    };
    let mut case = TestCase::new("the_run_is_whole", status);
    case.set_classname("cutover");
    suite("cutover", vec![case], run, metadata)
}

fn test_case(chapter: &Chapter<'_>) -> TestCase {
    let judged = chapter.judged;
    let mut case = TestCase::new(judged.id.name(), status(chapter));
    case.set_classname(format!("cutover.{}", judged.id.suite()));
    if let Some(duration) = judged.duration_ms.and_then(from_ms) {
        case.set_time(duration);
    }
    if let Some(planned) = chapter.planned {
        let source = &planned.source;
        case.extra
            .insert("file".into(), line(&source.file, LONGEST_MESSAGE).into());
        case.extra
            .insert("line".into(), source.line.to_string().into());
    }
    case.add_properties([
        property("severity", judged.severity.name()),
        property("criticality", judged.criticality.name()),
        property("attempts", &judged.attempts.to_string()),
    ]);
    let output = output(chapter);
    if !output.is_empty() {
        case.set_system_out(output);
    }
    case
}

fn status(chapter: &Chapter<'_>) -> TestCaseStatus {
    let (detail, text) = (chapter.detail(), description(chapter));
    match chapter.judged.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed => unhappy(NonSuccessKind::Failure, "finding", detail, &text),
        Status::Errored => unhappy(NonSuccessKind::Error, "could_not_tell", detail, &text),
        Status::NotRun => unhappy(NonSuccessKind::Error, "not_run", detail, &text),
        Status::Skipped => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(line(detail, LONGEST_MESSAGE));
            skipped.set_type(match chapter.skip_class() {
                Some(SkipClass::Filtered) => "filtered",
                Some(SkipClass::NotApplicable) => "not_applicable",
                Some(SkipClass::PreconditionMissing) | None => "precondition_missing",
            });
            skipped
        }
    }
}

fn unhappy(kind: NonSuccessKind, ty: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty);
    status.set_message(line(message, LONGEST_MESSAGE));
    status.set_description(beginning(text, LONGEST_OUTPUT));
    status
}

/// What a person reads who opens the test case.
fn description(chapter: &Chapter<'_>) -> String {
    let mut shown = vec![line(&chapter.judged.statement, LONGEST_MESSAGE)];
    match chapter.findings() {
        [] => shown.push(line(chapter.detail(), LONGEST_OUTPUT)),
        findings => shown.extend(findings.iter().flat_map(found)),
    }
    shown.extend(chapter.repeat().map(|curl| format!("repeat: {curl}")));
    shown.push(format!("again: {}", chapter.again()));
    shown.join("\n")
}

/// Everything that was seen, where something is to be explained.
fn output(chapter: &Chapter<'_>) -> String {
    let Some(trial) = chapter
        .trial
        .filter(|_| chapter.judged.status != Status::Passed)
    else {
        return String::new();
    };
    let all = trial.evidence.iter().flat_map(observed);
    let all = all.collect::<Vec<_>>().join("\n");
    if all.len() <= LONGEST_OUTPUT {
        return all;
    }
    let end = format!(
        "\n… all of it is in {}",
        chapter.journal().unwrap_or_default()
    );
    beginning(&all, LONGEST_OUTPUT - end.len()).to_owned() + &end
}

/// What the run was, on every suite: dashboards show suites, not files.
fn metadata(run: &Run, verdict: &Verdict) -> Vec<Property> {
    let mut properties = vec![
        property("cutover.decision", verdict.decision.name()),
        property("cutover.policy", &verdict.policy),
    ];
    if let Some(reason) = &verdict.reason {
        properties.push(property("cutover.reason", reason));
    }
    if let Some(plan) = &run.plan {
        properties.extend([
            property("cutover.run", &plan.run),
            property("cutover.version", &plan.cutover),
            property("cutover.profile", plan.profile.name()),
            property("cutover.seed", &plan.seed.to_string()),
            property("cutover.target", &plan.target.name),
            property("cutover.target.class", &plan.target.class),
            property("cutover.target.stack", &plan.target.stack),
        ]);
        let defect = plan.target.defect.as_deref();
        properties.extend(defect.map(|id| property("cutover.target.defect", id)));
    }
    let identity = run.life.iter().rev().find_map(|line| match &line.event {
        RunEvent::Identified { identity } => Some(identity.to_string()),
        RunEvent::Incident { .. }
        | RunEvent::Leaked { .. }
        | RunEvent::Carried { .. }
        | RunEvent::Interrupted { .. }
        | RunEvent::Finished { .. } => None,
    });
    properties.extend(identity.map(|identity| property("cutover.target.identity", &identity)));
    properties
}

fn property(name: &str, value: &str) -> Property {
    Property::new(name, line(value, LONGEST_MESSAGE))
}
