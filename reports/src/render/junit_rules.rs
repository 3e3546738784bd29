//! The suite of `junit.xml` with a test case for each rule: held, violated, or of unknown state with the reason.

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus};

use super::junit::{MAX_MESSAGE, description, non_success, property};
use super::report_model::{CheckReport, ReportModel};
use super::rules::{RuleReport, RuleState, rules};
use super::text::sanitize_line;
use crate::record::{PlannedRule, Run};

/// The name of the suite. No suite of checks has a space in its name.
pub(super) const RULES_SUITE: &str = "security rules";

/// A test case for each rule of the run, in the order of the catalogue.
pub(super) fn rule_cases(run: &Run, model: &ReportModel<'_>) -> Vec<TestCase> {
    let rules = rules(run, model);
    rules.iter().map(rule_case).collect()
}

fn rule_case(report: &RuleReport<'_>) -> TestCase {
    let rule = report.rule;
    let mut case = TestCase::new(sanitize_line(&rule.id, MAX_MESSAGE), status(report));
    case.set_classname("cutover.rules");
    case.add_properties(properties(rule));
    case
}

fn status(report: &RuleReport<'_>) -> TestCaseStatus {
    match &report.state {
        RuleState::Held => TestCaseStatus::success(),
        RuleState::Violated(check) => of_check(NonSuccessKind::Failure, "finding", report, check),
        RuleState::CouldNotTell(check) => {
            of_check(NonSuccessKind::Error, "could_not_tell", report, check)
        }
        RuleState::NotRun(check) => skipped("not_run", &not_run(check.as_ref())),
        RuleState::Unproved(reason) if report.rule.is_applicable() => skipped("open", reason),
        RuleState::Unproved(reason) => skipped("not_applicable", reason),
    }
}

/// The status of a rule by the check that decides about it.
fn of_check(
    kind: NonSuccessKind,
    ty: &str,
    report: &RuleReport<'_>,
    check: &CheckReport<'_>,
) -> TestCaseStatus {
    let message = format!("{}: {}", check.verdict.id, check.detail());
    let statement = sanitize_line(&report.rule.statement, MAX_MESSAGE);
    let remedy = sanitize_line(&report.rule.remedy, MAX_MESSAGE);
    let mut lines = vec![statement, description(check)];
    // The check may prove several rules, and names the remedy of the first one.
    if !remedy.is_empty() && check.remedy().as_ref() != Some(&remedy) {
        lines.push(format!("remedy of this rule: {remedy}"));
    }
    non_success(kind, ty, &message, &lines.join("\n"))
}

/// Why none of the checks of a rule ran.
fn not_run(check: Option<&CheckReport<'_>>) -> String {
    match check {
        Some(check) => format!("not run: {}: {}", check.verdict.id, check.detail()),
        None => "not run: none of its checks is in the plan".to_owned(),
    }
}

fn skipped(ty: &str, reason: &str) -> TestCaseStatus {
    let mut skipped = TestCaseStatus::skipped();
    skipped.set_type(ty);
    skipped.set_message(sanitize_line(reason, MAX_MESSAGE));
    skipped
}

fn properties(rule: &PlannedRule) -> Vec<Property> {
    let cwe: Vec<_> = rule.cwe.iter().map(ToString::to_string).collect();
    let lists = [
        ("owasp", rule.owasp.join(", ")),
        ("cwe", cwe.join(", ")),
        ("asvs", rule.asvs.join(", ")),
    ];
    let lists = lists.iter().filter(|(_, ids)| !ids.is_empty());
    [
        property("statement", &rule.statement),
        property("severity", rule.severity.name()),
    ]
    .into_iter()
    .chain(lists.map(|(name, ids)| property(name, ids)))
    .collect()
}
