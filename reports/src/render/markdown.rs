//! `summary.md`: a summary of the run for people, always shorter than eighty lines,
//! without its waivers.
//!
//! Text from outside is in code spans, where markup, mentions and links have no
//! effect.

use super::duration::human_ms;
use super::evidence::call_line;
use super::measurements::measured_in;
use super::outputs::outputs_of;
use super::report_model::{CheckReport, ReportModel, group_by_detail};
use super::resources::{busiest, most_memory};
use super::rules;
use super::text::sanitize_line;
use super::{Render, ReportFile};
use crate::record::{PLAN_FILE, Run, TRIALS_DIR};
use crate::verdict::{CheckStatus, ObjectiveStatus, ObjectiveVerdict, Verdict};

/// The maximum length of text from outside on one line, in characters.
const MAX_TEXT: usize = 300;
/// The maximum number of suites.
const MAX_SUITES: usize = 5;
/// The maximum number of reasons for checks without a result.
const MAX_UNTESTED: usize = 6;
/// The maximum number of failures with details.
const MAX_DETAILED: usize = 3;
/// The maximum number of further failures, each on one line.
const MAX_LISTED: usize = 4;
/// The maximum number of lines of what the system itself reports about a failure.
const MAX_CONTEXT: usize = 6;
/// The maximum number of measured values.
const MAX_MEASURED: usize = 4;
/// The maximum number of objectives that are not met.
const MAX_OBJECTIVES: usize = 2;
/// The maximum number of violated rules.
const MAX_RULES: usize = 4;
/// The maximum number of problems and risks of the run.
const MAX_PROBLEMS: usize = 4;

/// The run as a Markdown page.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl ReportFile for Markdown {
    fn file_name(&self) -> &'static str {
        "summary.md"
    }
}

impl Render for Markdown {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let model = ReportModel::new(run, verdict);
        let sections = [
            head(run, verdict),
            totals(run, verdict),
            untested(&model),
            causes(&model),
            failed(&model),
            problems(&model),
            waivers(&model),
            objectives(verdict),
            rules(run, &model),
            measured(run),
            resources(run),
            other_files(run),
        ];
        let shown = sections.iter().filter(|section| !section.is_empty());
        let shown: Vec<_> = shown.map(|section| section.join("\n") + "\n").collect();
        shown.join("\n")
    }
}

fn head(run: &Run, verdict: &Verdict) -> Vec<String> {
    let mut shown = vec![format!("# {}", verdict.decision), String::new()];
    if let Some(reason) = &verdict.reason {
        shown.extend([format!("**Reason:** {}", code(reason)), String::new()]);
    }
    let plan = run.plan.as_ref();
    let mut facts: Vec<_> = verdict
        .run
        .iter()
        .map(|id| format!("run {}", code(id)))
        .collect();
    if let Some(plan) = plan {
        let target = format!("{} ({})", plan.target.name, plan.target.class);
        facts.push(format!("target {}", code(&target)));
        let defect = plan.target.defect.iter();
        facts.extend(defect.map(|id| format!("seeded defect {}", code(id))));
        facts.push(format!("profile {} · seed {}", plan.profile, plan.seed));
    }
    facts.push(format!("policy {}", code(&verdict.policy)));
    facts.extend(verdict.duration_ms.map(human_ms));
    shown.push(facts.join(" · "));
    shown
}

fn totals(run: &Run, verdict: &Verdict) -> Vec<String> {
    let mut shown = vec![format!("- {}", verdict.counts.headline(run.profile()))];
    let suites = verdict.suites.iter().take(MAX_SUITES);
    shown.extend(suites.map(|it| format!("- {}: {}", code(&it.suite), it.counts.summary())));
    shown.extend(and_more(verdict.suites.len(), MAX_SUITES, "suites"));
    shown
}

/// The rules of the suites: those that are violated, and the number of all others.
fn rules(run: &Run, model: &ReportModel<'_>) -> Vec<String> {
    let Some(standing) = rules::standing(run, model) else {
        return Vec::new();
    };
    let mut shown = vec![
        "## Rules".to_owned(),
        String::new(),
        format!(
            "- {} hold · {} violated · {} without a result in this run · {} that no check proves \
             (`cutover list --suite security --format markdown` says why)",
            standing.held,
            standing.violated.len(),
            standing.without_result,
            standing.unproved
        ),
    ];
    let listed = standing.violated.iter().take(MAX_RULES);
    shown.extend(listed.map(|rule| format!("- violated: {} {}", rule.id, code(&rule.statement))));
    shown.extend(and_more(standing.violated.len(), MAX_RULES, "rules"));
    shown
}

/// The checks that a GO does not cover.
fn untested(model: &ReportModel<'_>) -> Vec<String> {
    let checks = model.without_result.iter().chain(&model.excluded);
    let checks: Vec<_> = checks.copied().collect();
    section("Not tested", checks.len(), |shown| {
        let reasons = group_by_detail(&checks);
        let listed = reasons.iter().take(MAX_UNTESTED);
        shown.extend(listed.map(|(detail, group)| match group.as_slice() {
            [single] => bullet(single),
            several => format!("- {} checks: {}", several.len(), code(detail)),
        }));
        let rest = reasons
            .iter()
            .skip(MAX_UNTESTED)
            .map(|(_, group)| group.len());
        shown.extend(and_more(rest.sum(), 0, "checks"));
    })
}

/// The causes that explain more than one check.
fn causes(model: &ReportModel<'_>) -> Vec<String> {
    let causes = model.cause_lines();
    section("Causes", causes.len(), |shown| {
        let listed = causes.iter().take(MAX_PROBLEMS);
        shown.extend(listed.map(|cause| format!("- {}", code(cause))));
        shown.extend(and_more(causes.len(), MAX_PROBLEMS, "causes"));
    })
}

/// The first check of each cause in detail, the others as lines.
fn failed(model: &ReportModel<'_>) -> Vec<String> {
    let (checks, repeated) = model.failed_by_cause();
    section("Failed", model.failed.len(), |shown| {
        shown.extend(checks.iter().take(MAX_DETAILED).flat_map(details));
        let others = checks.iter().skip(MAX_DETAILED).chain(&repeated);
        let others: Vec<_> = others.collect();
        shown.extend(others.iter().take(MAX_LISTED).map(|check| bullet(check)));
        shown.extend(and_more(others.len(), MAX_LISTED, "checks"));
    })
}

fn problems(model: &ReportModel<'_>) -> Vec<String> {
    let problems = &model.problems;
    section("Problems and risks of the run", problems.len(), |shown| {
        let listed = problems.iter().take(MAX_PROBLEMS);
        shown.extend(listed.map(|it| format!("- {}: {}", it.allows, code(&it.text))));
        shown.extend(and_more(problems.len(), MAX_PROBLEMS, "problems"));
    })
}

/// All waivers of the policy: none is hidden, so that this section alone has no limit.
fn waivers(model: &ReportModel<'_>) -> Vec<String> {
    let waivers = &model.waivers;
    section("Waivers", waivers.len(), |shown| {
        shown.extend(waivers.iter().map(|waiver| format!("- {}", code(waiver))));
    })
}

/// A section with its number of items; empty without items.
fn section(title: &str, items: usize, write: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
    let mut shown = Vec::new();
    if items > 0 {
        shown.extend([format!("## {title} ({items})"), String::new()]);
        write(&mut shown);
    }
    shown
}

/// A failure in at most nine lines, and what the system itself reports about it.
fn details(check: &CheckReport<'_>) -> Vec<String> {
    let mut shown = vec![bullet(check)];
    let first = check.findings().first();
    let rows = [
        (
            "expected",
            first.and_then(|finding| finding.expected.clone()),
        ),
        ("actual", first.and_then(|finding| finding.actual.clone())),
        ("last call", check.last_call().map(call_line)),
        ("curl", check.curl()),
        ("rule", check.rules()),
        ("remedy", check.remedy()),
        ("rerun", Some(check.rerun())),
    ];
    for (label, text) in rows {
        let text = text.map(|text| match label {
            // A command must not be truncated.
            "curl" | "rerun" => code_span(&text),
            _ => code(&text),
        });
        shown.extend(text.map(|text| format!("  - {label}: {text}")));
    }
    let context = first.map(|finding| check.context_lines(finding));
    let context = context.unwrap_or_default();
    let lines = context.iter().take(MAX_CONTEXT);
    shown.extend(lines.map(|line| format!("  - reported: {}", code(line))));
    shown
}

fn bullet(check: &CheckReport<'_>) -> String {
    let verdict = check.verdict;
    let (level, result) = match verdict.status {
        CheckStatus::Failed => (verdict.severity.name(), check.allows_name()),
        CheckStatus::Passed | CheckStatus::Errored | CheckStatus::Skipped | CheckStatus::NotRun => {
            (verdict.criticality.name(), verdict.status.name())
        }
    };
    let (id, detail) = (&verdict.id, code(check.detail()));
    format!("- `{id}` ({level}, {result}): {detail}")
}

/// What measured values must reach: those that are not met, and the number of those that are.
fn objectives(verdict: &Verdict) -> Vec<String> {
    let (all, unmet): (_, Vec<_>) = (
        &verdict.objectives,
        verdict
            .objectives
            .iter()
            .filter(|it| it.status != ObjectiveStatus::Met)
            .collect(),
    );
    section("Objectives", all.len(), |shown| {
        shown.push(format!(
            "- {} of {} are met",
            all.len() - unmet.len(),
            all.len()
        ));
        shown.extend(
            unmet
                .iter()
                .take(MAX_OBJECTIVES)
                .map(|it| objective_line(it)),
        );
        shown.extend(and_more(unmet.len(), MAX_OBJECTIVES, "objectives"));
    })
}

fn objective_line(objective: &ObjectiveVerdict) -> String {
    let result = match (objective.status, objective.value) {
        (ObjectiveStatus::Met, _) => "met".to_owned(),
        (ObjectiveStatus::Missed, Some(value)) => format!("missed: {value:.3}"),
        (ObjectiveStatus::Missed, None) => "missed".to_owned(),
        (ObjectiveStatus::NoData, _) => "no data".to_owned(),
        (ObjectiveStatus::NotMeasured, _) => "not measured".to_owned(),
    };
    let detail = objective
        .detail
        .as_deref()
        .map(|detail| format!(": {}", code(detail)));
    format!(
        "- {} {result}{}",
        code(&objective.expect),
        detail.unwrap_or_default()
    )
}

/// The values that are compared with those of a baseline.
fn measured(run: &Run) -> Vec<String> {
    let values = measured_in(run).into_iter().filter(|value| value.gated);
    let values: Vec<_> = values
        .filter_map(|it| Some((it.name, it.value?, it.unit)))
        .collect();
    section("Measured", values.len(), |shown| {
        let listed = values.iter().take(MAX_MEASURED);
        shown.extend(
            listed
                .map(|(name, value, unit)| code(&format!("{name}: {value:.2} {unit}")))
                .map(|text| format!("- {text}")),
        );
        shown.extend(and_more(values.len(), MAX_MEASURED, "values"));
    })
}

/// What the processes used during loads: the busiest one, and the one with the most memory.
fn resources(run: &Run) -> Vec<String> {
    let busy = busiest(run).map(|(name, share)| format!("{name} used {share:.2} processors"));
    let memory = most_memory(run)
        .map(|(name, bytes)| format!("{name} had {} MB of memory", bytes / 1_000_000));
    let facts: Vec<_> = busy.into_iter().chain(memory).collect();
    if facts.is_empty() {
        return Vec::new();
    }
    vec![format!("Under load, at most: {}", code(&facts.join("; ")))]
}

fn other_files(run: &Run) -> Vec<String> {
    let reports = outputs_of(run).map(ReportFile::file_name);
    let others = reports.filter(|name| *name != Markdown.file_name());
    let files: Vec<_> = others
        .chain([PLAN_FILE])
        .map(|file| format!("`{file}`"))
        .collect();
    vec![format!(
        "{} · all evidence in `{TRIALS_DIR}/`",
        files.join(" · ")
    )]
}

fn and_more(all: usize, shown: usize, what: &str) -> Option<String> {
    let rest = all.saturating_sub(shown);
    (rest > 0).then(|| format!("- and {rest} more {what}"))
}

/// Text from outside as a code span on one line.
fn code(text: &str) -> String {
    match text {
        "" => "(empty)".to_owned(),
        text => code_span(&sanitize_line(text, MAX_TEXT)),
    }
}

/// A sanitized line as a code span. The fence is longer than any run of backticks in the line.
fn code_span(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let pad = if text.contains('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}
