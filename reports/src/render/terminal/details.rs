//! The details of one check that did not pass, with the commands to repeat it.

use super::page::TerminalPage;
use crate::render::duration::human_ms;
use crate::render::evidence::call_line;
use crate::render::palette::TextRole;
use crate::render::report_model::CheckReport;
use crate::render::text::sanitize_line;
use crate::verdict::CheckStatus;

/// The maximum number of lines of a finding.
const MAX_FINDING_LINES: usize = 12;
/// The maximum number of findings.
const MAX_FINDINGS: usize = 5;
/// The maximum number of lines of an expected or actual value.
const MAX_VALUE_LINES: usize = 6;
/// The maximum number of lines of what the system itself reports.
const MAX_CONTEXT_LINES: usize = 12;
/// The maximum length of a statement or a path in characters.
const MAX_TEXT: usize = 300;

/// Writes all details of a check.
pub(super) fn write_details(page: &mut TerminalPage, check: &CheckReport<'_>) {
    write_title(page, check);
    let statement = sanitize_line(&check.verdict.statement, MAX_TEXT);
    page.row("", TextRole::Muted, &statement, None);
    page.items("", &facts(check), Some(TextRole::Muted));
    if check.findings().is_empty() {
        page.quote("", check.detail(), MAX_FINDING_LINES);
    }
    for finding in check.findings().iter().take(MAX_FINDINGS) {
        page.quote("", &finding.summary, MAX_FINDING_LINES);
        for (label, text) in [("expected", &finding.expected), ("actual", &finding.actual)] {
            if let Some(text) = text {
                page.quote(label, text, MAX_VALUE_LINES);
            }
        }
        let context = check.context_lines(finding);
        if !context.is_empty() {
            page.quote("reported", &context.join("\n"), MAX_CONTEXT_LINES);
        }
    }
    match check.findings().len().saturating_sub(MAX_FINDINGS) {
        0 => {}
        rest => {
            let more = format!("… and {rest} more findings");
            page.row("", TextRole::Muted, &more, None);
        }
    }
    if let Some(exchange) = check.last_call() {
        page.quote("last call", &call_line(exchange), 1);
    }
    if let Some(curl) = check.curl() {
        page.unwrapped("curl", &curl);
    }
    if let Some(rules) = check.rules() {
        page.quote("rule", &rules, 2);
    }
    if let Some(remedy) = check.remedy() {
        page.quote("remedy", &remedy, 1);
    }
    page.command("rerun", &check.rerun_parts());
    if let Some(source) = check.source() {
        page.unwrapped("source", &sanitize_line(&source, MAX_TEXT));
    }
}

/// Writes one line: the status and the id of a check.
pub(super) fn write_title(page: &mut TerminalPage, check: &CheckReport<'_>) {
    let (word, role) = match check.verdict.status {
        CheckStatus::Failed => ("FAILED", TextRole::Failure),
        CheckStatus::Errored => ("ERROR", TextRole::NoResult),
        CheckStatus::Skipped => ("SKIPPED", TextRole::NoResult),
        CheckStatus::NotRun => ("NOT RUN", TextRole::NoResult),
        CheckStatus::Passed => ("ok", TextRole::Success),
    };
    let id = check.verdict.id.as_str();
    page.row(word, role, id, Some(TextRole::Title));
}

/// The level, the effect on the decision, the duration and the number of attempts.
fn facts(check: &CheckReport<'_>) -> String {
    let verdict = check.verdict;
    let level = match verdict.status {
        CheckStatus::Failed => verdict.severity.name(),
        CheckStatus::Passed | CheckStatus::Errored | CheckStatus::Skipped | CheckStatus::NotRun => {
            verdict.criticality.name()
        }
    };
    let attempts =
        (verdict.attempts > 1).then(|| format!("worst of {} attempts", verdict.attempts));
    let parts = [
        Some(level.to_owned()),
        Some(check.allows_name().to_owned()),
        verdict.duration_ms.map(human_ms),
        attempts,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
