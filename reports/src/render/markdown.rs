//! `summary.md`: the run for a person in a hurry, in fewer than sixty lines whatever happened.
//!
//! Everything that was not written here stands in code spans: inside them no
//! markup, mention or link means anything.

use super::evidence::call;
use super::span::spoken_ms;
use super::story::{Chapter, Story, by_detail};
use super::text::line;
use super::{JUNIT_FILE, Render, VERDICT_FILE};
use crate::record::{PLAN_FILE, Run, TRIALS_DIR};
use crate::verdict::{Status, Verdict};

/// How many characters of hostile text stand on a line.
const LONGEST: usize = 300;
/// How many suites have a line.
const MOST_SUITES: usize = 4;
/// How many reasons for asking no check or getting no answer have a line.
const MOST_UNTESTED: usize = 6;
/// How many failures are told in six lines each.
const MOST_TOLD: usize = 3;
/// How many more failures have a line.
const MOST_NAMED: usize = 4;
/// How many remarks about the run and its risks have a line.
const MOST_REMARKS: usize = 4;

/// The run as a page of Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Render for Markdown {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let story = Story::of(run, verdict);
        let sections = [
            head(run, verdict),
            tally(verdict),
            untested(&story),
            failed(&story),
            remarks(&story),
            vec![format!(
                "`{VERDICT_FILE}` · `{JUNIT_FILE}` · `{PLAN_FILE}` · every observation in `{TRIALS_DIR}/`"
            )],
        ];
        let shown = sections.iter().filter(|section| !section.is_empty());
        let shown: Vec<_> = shown.map(|section| section.join("\n") + "\n").collect();
        shown.join("\n")
    }
}

fn head(run: &Run, verdict: &Verdict) -> Vec<String> {
    let mut shown = vec![format!("# {}", verdict.decision), String::new()];
    if let Some(reason) = &verdict.reason {
        shown.extend([format!("**Because** {}", code(reason)), String::new()]);
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
    facts.extend(verdict.duration_ms.map(spoken_ms));
    shown.push(facts.join(" · "));
    shown
}

fn tally(verdict: &Verdict) -> Vec<String> {
    let mut shown = vec![format!("- {}", verdict.counts.spoken_in_full())];
    let suites = verdict.suites.iter().take(MOST_SUITES);
    shown.extend(suites.map(|it| format!("- {}: {}", code(&it.suite), it.counts.spoken())));
    shown.extend(and_more(verdict.suites.len(), MOST_SUITES, "suites"));
    shown
}

/// What a GO would not cover.
fn untested(story: &Story<'_>) -> Vec<String> {
    let chapters = story.unanswered.iter().chain(&story.left_out);
    let chapters: Vec<_> = chapters.copied().collect();
    section("Not tested", chapters.len(), |shown| {
        let reasons = by_detail(&chapters);
        let named = reasons.iter().take(MOST_UNTESTED);
        shown.extend(named.map(|(detail, alike)| match alike.as_slice() {
            [only] => one_line(only),
            several => format!("- {} checks: {}", several.len(), code(detail)),
        }));
        let rest = reasons
            .iter()
            .skip(MOST_UNTESTED)
            .map(|(_, alike)| alike.len());
        shown.extend(and_more(rest.sum(), 0, "checks"));
    })
}

fn failed(story: &Story<'_>) -> Vec<String> {
    let chapters = &story.failed;
    section("Failed", chapters.len(), |shown| {
        shown.extend(chapters.iter().take(MOST_TOLD).flat_map(told));
        let named = chapters.iter().skip(MOST_TOLD).take(MOST_NAMED);
        shown.extend(named.map(one_line));
        shown.extend(and_more(chapters.len(), MOST_TOLD + MOST_NAMED, "checks"));
    })
}

fn remarks(story: &Story<'_>) -> Vec<String> {
    let remarks = &story.remarks;
    section("The run and its risks", remarks.len(), |shown| {
        let named = remarks.iter().take(MOST_REMARKS);
        shown.extend(named.map(|it| format!("- {}: {}", it.allows, code(&it.text))));
        shown.extend(and_more(remarks.len(), MOST_REMARKS, "remarks"));
    })
}

/// A section of so many things; nothing where there is none.
fn section(title: &str, things: usize, write: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
    let mut shown = Vec::new();
    if things > 0 {
        shown.extend([format!("## {title} ({things})"), String::new()]);
        write(&mut shown);
    }
    shown
}

/// A failure in at most six lines.
fn told(chapter: &Chapter<'_>) -> Vec<String> {
    let mut shown = vec![one_line(chapter)];
    let first = chapter.findings().first();
    let told = [
        (
            "expected",
            first.and_then(|finding| finding.expected.clone()),
        ),
        ("actual", first.and_then(|finding| finding.actual.clone())),
        ("last call", chapter.last_call().map(call)),
        ("repeat", chapter.repeat()),
        ("again", Some(chapter.again())),
    ];
    for (label, text) in told {
        let text = text.map(|text| match label {
            // Half a command is none.
            "repeat" | "again" => span(&text),
            _ => code(&text),
        });
        shown.extend(text.map(|text| format!("  - {label}: {text}")));
    }
    shown
}

fn one_line(chapter: &Chapter<'_>) -> String {
    let judged = chapter.judged;
    let (rank, weight) = match judged.status {
        Status::Failed => (judged.severity.name(), chapter.weight()),
        Status::Passed | Status::Errored | Status::Skipped | Status::NotRun => {
            (judged.criticality.name(), judged.status.name())
        }
    };
    let (id, detail) = (&judged.id, code(chapter.detail()));
    format!("- `{id}` ({rank}, {weight}): {detail}")
}

fn and_more(all: usize, shown: usize, what: &str) -> Option<String> {
    let rest = all.saturating_sub(shown);
    (rest > 0).then(|| format!("- and {rest} more {what}"))
}

/// Hostile text as a code span on one line.
fn code(text: &str) -> String {
    match text {
        "" => "(empty)".to_owned(),
        text => span(&line(text, LONGEST)),
    }
}

/// A harmless line as a code span: fenced by more backticks than stand together in it.
fn span(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let pad = if text.contains('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}
