//! One check that did not pass, with what a person needs to see it again.

use super::page::Page;
use crate::render::evidence::call;
use crate::render::palette::Tone;
use crate::render::span::spoken_ms;
use crate::render::story::Chapter;
use crate::render::text::line;
use crate::verdict::Status;

/// How many lines of a finding are shown.
const FINDING: usize = 12;
/// How many findings are shown.
const FINDINGS: usize = 5;
/// How many lines of what was expected and what came are shown.
const COMPARED: usize = 6;
/// How long a statement or an address may be, in characters.
const LONGEST: usize = 300;

/// Tells of one check in full.
pub(super) fn tell(page: &mut Page, chapter: &Chapter<'_>) {
    title(page, chapter);
    page.row(
        "",
        Tone::Quiet,
        &line(&chapter.judged.statement, LONGEST),
        None,
    );
    page.row("", Tone::Quiet, &circumstances(chapter), Some(Tone::Quiet));
    if chapter.findings().is_empty() {
        page.quote("", chapter.detail(), FINDING);
    }
    for finding in chapter.findings().iter().take(FINDINGS) {
        page.quote("", &finding.summary, FINDING);
        for (label, text) in [("expected", &finding.expected), ("actual", &finding.actual)] {
            if let Some(text) = text {
                page.quote(label, text, COMPARED);
            }
        }
    }
    match chapter.findings().len().saturating_sub(FINDINGS) {
        0 => {}
        rest => page.row(
            "",
            Tone::Quiet,
            &format!("… and {rest} more findings"),
            None,
        ),
    }
    if let Some(exchange) = chapter.last_call() {
        page.quote("last call", &call(exchange), 1);
    }
    if let Some(curl) = chapter.repeat() {
        page.whole("repeat", &curl);
    }
    page.whole("again", &chapter.again());
    if let Some(source) = chapter.source() {
        page.whole("written", &line(&source, LONGEST));
    }
}

/// Names one check in a line, where there are too many to tell of.
pub(super) fn title(page: &mut Page, chapter: &Chapter<'_>) {
    let (word, tone) = match chapter.judged.status {
        Status::Failed => ("FAILED", Tone::Bad),
        Status::Passed | Status::Errored | Status::Skipped | Status::NotRun => {
            ("UNSURE", Tone::Unsure)
        }
    };
    page.row(word, tone, chapter.judged.id.as_str(), Some(Tone::Strong));
}

fn circumstances(chapter: &Chapter<'_>) -> String {
    let judged = chapter.judged;
    let rank = match judged.status {
        Status::Failed => judged.severity.name(),
        Status::Passed | Status::Errored | Status::Skipped | Status::NotRun => {
            judged.criticality.name()
        }
    };
    let attempts = (judged.attempts > 1).then(|| format!("worst of {} attempts", judged.attempts));
    let parts = [
        Some(rank.to_owned()),
        Some(chapter.weight().to_owned()),
        judged.duration_ms.map(spoken_ms),
        attempts,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
