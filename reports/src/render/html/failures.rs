//! The failed checks by cause, each with its evidence and the command that shows it again.

use maud::{Markup, html};

use super::super::evidence::call_line;
use super::super::report_model::{CheckReport, ReportModel};
use super::{counted, text};
use crate::record::Finding;
use crate::verdict::CauseGroup;

/// The most failed checks with details. The table of checks has all of them.
const MAX_DETAILED: usize = 100;

/// The maximum number of lines of what the system itself reports about a finding.
const MAX_CONTEXT: usize = 12;

/// The failed checks: one block for each cause, with its first check in detail.
pub(super) fn section(model: &ReportModel<'_>) -> Markup {
    let (detailed, _) = model.failed_by_cause();
    counted("failed", "Failed, by cause", model.failed.len(), || {
        html! {
            @for check in detailed.iter().take(MAX_DETAILED) {
                (failure(check, cause_of(model, check), model))
            }
            @if detailed.len() > MAX_DETAILED {
                p { "And " (detailed.len() - MAX_DETAILED) " more causes: see the table of all checks." }
            }
        }
    })
}

/// The cause that this check is the first one of, if it explains others, too.
fn cause_of<'a>(model: &ReportModel<'a>, check: &CheckReport<'_>) -> Option<&'a CauseGroup> {
    let mut causes = model.causes.iter().copied();
    causes.find(|group| group.first == check.verdict.id)
}

/// A failed check, and the checks with the same cause.
fn failure(check: &CheckReport<'_>, cause: Option<&CauseGroup>, model: &ReportModel<'_>) -> Markup {
    let verdict = check.verdict;
    html! {
        article.failure data-severity=(verdict.severity.name()) {
            h3 {
                span.badge { (verdict.severity.name()) }
                " " code { (verdict.id) }
            }
            p.statement { (text(&verdict.statement)) " · " (check.allows_name()) }
            @if let Some(cause) = cause {
                p.cause { strong { "Cause: " } (text(&cause.summary(model.failed.len()))) }
            }
            @for finding in check.findings() { (finding_of(check, finding)) }
            @if check.findings().is_empty() { p { (text(check.detail())) } }
            dl.evidence {
                @for (name, value) in evidence(check) {
                    dt { (name) } dd { code { (value) } }
                }
                @if let Some(journal) = check.journal() {
                    dt { "evidence" } dd { a href=(journal) { (journal) } }
                }
            }
            @if let Some(cause) = cause { (same_cause(cause)) }
        }
    }
}

/// A finding with its values, and what the system itself reports about it.
fn finding_of(check: &CheckReport<'_>, finding: &Finding) -> Markup {
    let context = check.context_lines(finding);
    html! {
        p.finding { (text(&finding.summary)) }
        @if finding.expected.is_some() || finding.actual.is_some() {
            dl.compared {
                @if let Some(expected) = &finding.expected { dt { "expected" } dd { code { (text(expected)) } } }
                @if let Some(actual) = &finding.actual { dt { "actual" } dd { code { (text(actual)) } } }
            }
        }
        @if !context.is_empty() {
            details open {
                summary { "What the system itself reports" }
                pre { @for line in context.iter().take(MAX_CONTEXT) { (line) "\n" } }
            }
        }
    }
}

/// What helps to repeat and to mend a failure, as names and lines.
fn evidence(check: &CheckReport<'_>) -> Vec<(&'static str, String)> {
    let rows = [
        ("rule", check.rules()),
        ("remedy", check.remedy()),
        ("last call", check.last_call().map(call_line)),
        ("curl", check.curl()),
        ("run it again", Some(check.rerun())),
        ("source", check.source()),
    ];
    let given = rows.into_iter();
    given
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The other checks with the same cause.
fn same_cause(cause: &CauseGroup) -> Markup {
    let others = cause.checks.iter().filter(|id| **id != cause.first);
    html! {
        details {
            summary { (cause.checks.len() - 1) " more failed checks with this cause" }
            ul.ids { @for id in others { li { code { (id) } } } }
        }
    }
}

/// What is wrong with the run as a whole, and the risks.
pub(super) fn problems(model: &ReportModel<'_>) -> Markup {
    counted(
        "problems",
        "Problems and risks of the run",
        model.problems.len(),
        || {
            html! {
                ul {
                    @for problem in &model.problems {
                        li { span.badge { (problem.allows) } " " (text(&problem.text)) }
                    }
                }
            }
        },
    )
}
