//! `junit.xml`: the run for test dashboards, in the dialect of Jenkins and Surefire.
//!
//! A failed check is a `<failure>`, a check without a result an `<error>`. The
//! reasons about the run as a whole are a test case of their own, and so is each rule, so that a
//! dashboard without knowledge of verdicts does not show an incomplete run as
//! successful.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use time::format_description::well_known::Rfc3339;

use super::duration::from_ms;
use super::evidence::{evidence_lines, finding_lines};
use super::junit_rules::{RULES_SUITE, rule_cases};
use super::report_model::{CheckReport, ReportModel};
use super::text::{sanitize_line, truncate_bytes};
use super::{Render, ReportFile};
use crate::record::{Run, RunEvent};
use crate::verdict::{CheckStatus, Reason, SkipReason, Verdict};

/// The maximum length of a message attribute in characters.
pub(super) const MAX_MESSAGE: usize = 300;
/// The maximum size of the evidence of a test case in bytes.
const MAX_OUTPUT: usize = 64 * 1024;
/// The maximum number of reasons about the run.
const MAX_REASONS: usize = 50;

/// The run as JUnit XML.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl ReportFile for Junit {
    fn file_name(&self) -> &'static str {
        "junit.xml"
    }
}

impl Render for Junit {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let xml = report(run, verdict).to_string();
        // The fallback is not a document, so that no reader takes it for a run without failures.
        xml.unwrap_or_else(|error| format!("<!-- {} -->\n", sanitize_line(&error.to_string(), 200)))
    }
}

fn report(run: &Run, verdict: &Verdict) -> Report {
    let model = ReportModel::new(run, verdict);
    let metadata = metadata(run, verdict);
    let mut report = Report::new("cutover");
    if let Some(duration) = verdict.duration_ms.and_then(from_ms) {
        report.set_time(duration);
    }
    report.add_test_suite(run_suite(run, verdict, &metadata));
    for counted in &verdict.suites {
        let checks = model.checks.iter();
        let cases = checks.filter(|check| check.verdict.id.suite() == counted.suite);
        let cases = cases.map(|check| test_case(check, verdict)).collect();
        report.add_test_suite(suite(&counted.suite, cases, run, &metadata));
    }
    let rules = rule_cases(run, &model);
    if !rules.is_empty() {
        report.add_test_suite(suite(RULES_SUITE, rules, run, &metadata));
    }
    report
}

fn suite(name: &str, cases: Vec<TestCase>, run: &Run, metadata: &[Property]) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_properties(metadata.to_vec());
    suite.set_time(total_time(&cases));
    let created = run
        .plan
        .as_ref()
        .map(|plan| plan.created_at.format(&Rfc3339));
    if let Some(Ok(created)) = created {
        suite.extra.insert("timestamp".into(), created.into());
    }
    suite.add_test_cases(cases);
    suite
}

/// The sum saturates: a journal may contain any duration, and the sum must not panic.
fn total_time(cases: &[TestCase]) -> Duration {
    let times = cases.iter().filter_map(|case| case.time);
    times.fold(Duration::ZERO, Duration::saturating_add)
}

/// The suite whose only case states that the run as a whole is valid evidence.
fn run_suite(run: &Run, verdict: &Verdict, metadata: &[Property]) -> TestSuite {
    let reasons: Vec<&Reason> = verdict
        .reasons
        .iter()
        .filter(|reason| reason.check.is_none())
        .collect();
    let status = match reasons.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let shown = reasons.iter().take(MAX_REASONS);
            let all: Vec<_> = shown
                .map(|reason| sanitize_line(&reason.text, MAX_MESSAGE))
                .collect();
            non_success(NonSuccessKind::Error, "run", &first.text, &all.join("\n"))
        }
    };
    let mut case = TestCase::new("the_run_is_whole", status);
    case.set_classname("cutover");
    suite("cutover", vec![case], run, metadata)
}

fn test_case(check: &CheckReport<'_>, all: &Verdict) -> TestCase {
    let verdict = check.verdict;
    let mut case = TestCase::new(verdict.id.name(), status(check));
    case.set_classname(format!("cutover.{}", verdict.id.suite()));
    if let Some(duration) = verdict.duration_ms.and_then(from_ms) {
        case.set_time(duration);
    }
    if let Some(planned) = check.planned {
        let source = &planned.source;
        let file = sanitize_line(&source.file, MAX_MESSAGE);
        case.extra.insert("file".into(), file.into());
        case.extra
            .insert("line".into(), source.line.to_string().into());
    }
    case.add_properties([
        property("severity", verdict.severity.name()),
        property("criticality", verdict.criticality.name()),
        property("attempts", &verdict.attempts.to_string()),
    ]);
    let mut groups = all.groups.iter();
    let group = groups.find(|group| group.checks.contains(&verdict.id));
    case.add_properties(group.map(|group| property("cause", &group.cause)));
    let output = output(check);
    if !output.is_empty() {
        case.set_system_out(output);
    }
    case
}

fn status(check: &CheckReport<'_>) -> TestCaseStatus {
    let (detail, text) = (check.detail(), description(check));
    match check.verdict.status {
        CheckStatus::Passed => TestCaseStatus::success(),
        CheckStatus::Failed => non_success(NonSuccessKind::Failure, "finding", detail, &text),
        CheckStatus::Errored => non_success(NonSuccessKind::Error, "could_not_tell", detail, &text),
        CheckStatus::NotRun => non_success(NonSuccessKind::Error, "not_run", detail, &text),
        CheckStatus::Skipped => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(sanitize_line(detail, MAX_MESSAGE));
            skipped.set_type(match check.verdict.skip {
                Some(SkipReason::NotInProfile | SkipReason::NotSelected) => "filtered",
                Some(SkipReason::NotApplicable) => "not_applicable",
                Some(SkipReason::Blocked) => "blocked",
                Some(SkipReason::PreconditionMissing) | None => "precondition_missing",
            });
            skipped
        }
    }
}

pub(super) fn non_success(
    kind: NonSuccessKind,
    ty: &str,
    message: &str,
    text: &str,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(ty);
    status.set_message(sanitize_line(message, MAX_MESSAGE));
    status.set_description(truncate_bytes(text, MAX_OUTPUT));
    status
}

/// The text of the test case: the statement, the findings and the commands to repeat it.
pub(super) fn description(check: &CheckReport<'_>) -> String {
    let mut shown = vec![sanitize_line(&check.verdict.statement, MAX_MESSAGE)];
    match check.findings() {
        [] => shown.push(sanitize_line(check.detail(), MAX_OUTPUT)),
        findings => {
            for finding in findings {
                shown.extend(finding_lines(finding));
                let context = check.context_lines(finding);
                shown.extend(context.iter().map(|line| format!("reported: {line}")));
            }
        }
    }
    shown.extend(check.curl().map(|curl| format!("curl: {curl}")));
    shown.extend(check.rules().map(|rules| format!("rule: {rules}")));
    shown.extend(check.remedy().map(|remedy| format!("remedy: {remedy}")));
    shown.push(format!("rerun: {}", check.rerun()));
    shown.join("\n")
}

/// All evidence of a check that did not pass.
fn output(check: &CheckReport<'_>) -> String {
    let Some(trial) = check
        .trial
        .filter(|_| check.verdict.status != CheckStatus::Passed)
    else {
        return String::new();
    };
    let all = trial.evidence.iter().flat_map(evidence_lines);
    let all = all.collect::<Vec<_>>().join("\n");
    if all.len() <= MAX_OUTPUT {
        return all;
    }
    let end = format!(
        "\n… the complete output is in {}",
        check.journal().unwrap_or_default()
    );
    truncate_bytes(&all, MAX_OUTPUT - end.len()).to_owned() + &end
}

/// The properties of the run. Every suite has them, because dashboards show suites, not files.
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
    let identity = run
        .journal
        .iter()
        .rev()
        .find_map(|entry| match &entry.event {
            RunEvent::Identified { identity } => Some(identity.to_string()),
            RunEvent::Machine(_)
            | RunEvent::GeneratorTested { .. }
            | RunEvent::Compared { .. }
            | RunEvent::Incident { .. }
            | RunEvent::Leaked { .. }
            | RunEvent::LinkTraffic { .. }
            | RunEvent::Interrupted { .. }
            | RunEvent::Finished { .. } => None,
        });
    properties.extend(identity.map(|identity| property("cutover.target.identity", &identity)));
    properties
}

pub(super) fn property(name: &str, value: &str) -> Property {
    Property::new(name, sanitize_line(value, MAX_MESSAGE))
}
