//! The report at the end of a run: the worse something is, the nearer it stands to the prompt.

use std::path::PathBuf;

use super::failure::{tell, title};
use super::page::Page;
use crate::record::Run;
use crate::render::palette::Tone;
use crate::render::span::spoken_ms;
use crate::render::story::{Chapter, Story, by_detail};
use crate::render::text::line;
use crate::render::{Palette, Render, SUMMARY_FILE};
use crate::verdict::{Decision, Verdict};

/// How many checks of a kind are told of in full; the others are named.
const MOST_TOLD: usize = 10;
/// How many of these others are named.
const MOST_NAMED: usize = 40;
/// How many remarks about the run are shown.
const MOST_REMARKS: usize = 10;
/// How long a remark may be, in characters.
const LONGEST_REMARK: usize = 200;
/// How many of the slowest checks are named.
const SLOWEST: usize = 3;
/// How many reasons for leaving checks out are shown.
const MOST_LEFT_OUT: usize = 8;
/// How long a name that someone else chose may be, in characters.
const LONGEST_NAME: usize = 200;

/// The report for a terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Whether it is coloured.
    pub palette: Palette,
    /// How many columns the terminal has.
    pub width: usize,
    /// The run directory, if the report shall say where the files are.
    pub path: Option<PathBuf>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            palette: Palette::Plain,
            width: 80,
            path: None,
        }
    }
}

impl Render for Terminal {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let story = Story::of(run, verdict);
        let mut page = Page::new(self.palette, self.width);
        page.blank();
        suites(&mut page, verdict);
        slowest(&mut page, &story);
        let unanswered = story.unanswered.iter().copied();
        let (not_run, unanswered): (Vec<_>, Vec<_>) = unanswered.partition(Chapter::never_ran);
        let unanswered = unanswered.into_iter();
        let (refused, unanswered): (Vec<_>, Vec<_>) = unanswered.partition(Chapter::was_refused);
        by_reason(&mut page, "left out", &story.left_out);
        by_reason(&mut page, "refused", &refused);
        by_reason(&mut page, "not run", &not_run);
        remarks(&mut page, &story);
        page.blank();
        told(&mut page, &unanswered);
        told(&mut page, &story.failed);
        page.rule();
        conclusion(&mut page, run, verdict);
        if let Some(path) = &self.path {
            let report = path.join(SUMMARY_FILE).display().to_string();
            page.whole("report", &line(&report, usize::MAX));
        }
        page.finish()
    }
}

fn suites(page: &mut Page, verdict: &Verdict) {
    let widest = verdict.suites.iter().map(|suite| suite.suite.len()).max();
    let widest = widest.unwrap_or_default();
    let mut label = "suites";
    for suite in &verdict.suites {
        let counts = suite.counts.spoken();
        let text = format!("{:<widest$}  {counts}", suite.suite);
        page.row(label, Tone::Quiet, &text, None);
        label = "";
    }
}

fn slowest(page: &mut Page, story: &Story<'_>) {
    let mut timed: Vec<_> = story
        .all
        .iter()
        .filter_map(|chapter| Some((chapter.judged.duration_ms?, &chapter.judged.id)))
        .collect();
    timed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    timed.truncate(SLOWEST);
    let widest = timed.iter().map(|(_, id)| id.as_str().len()).max();
    let widest = widest.unwrap_or_default();
    let mut label = "slowest";
    for (ms, id) in timed {
        let text = format!("{id:<widest$}  {}", spoken_ms(ms));
        page.row(label, Tone::Quiet, &text, None);
        label = "";
    }
}

/// Checks without a story of their own: how many there are for each reason.
fn by_reason(page: &mut Page, mut label: &str, quiet: &[Chapter<'_>]) {
    let reasons = by_detail(quiet);
    for (reason, chapters) in reasons.iter().take(MOST_LEFT_OUT) {
        let who = match chapters.as_slice() {
            [only] => only.judged.id.to_string(),
            several => format!("{} checks", several.len()),
        };
        page.quote(label, &format!("{who}: {reason}"), 2);
        label = "";
    }
    and_more(page, reasons.len(), MOST_LEFT_OUT);
}

/// The risks, and what speaks against the run as a whole.
fn remarks(page: &mut Page, story: &Story<'_>) {
    and_more(page, story.remarks.len(), MOST_REMARKS);
    for remark in story.remarks.iter().take(MOST_REMARKS).rev() {
        let label = match remark.allows {
            Decision::Conditional => "risk",
            Decision::Go | Decision::Inconclusive | Decision::NoGo => "the run",
        };
        page.quote(label, &line(&remark.text, LONGEST_REMARK), 1);
    }
}

fn told(page: &mut Page, chapters: &[Chapter<'_>]) {
    for chapter in chapters.iter().take(MOST_TOLD) {
        tell(page, chapter);
        page.blank();
    }
    if chapters.len() > MOST_TOLD {
        let named = chapters.iter().skip(MOST_TOLD).take(MOST_NAMED);
        named.for_each(|chapter| title(page, chapter));
        and_more(page, chapters.len(), MOST_TOLD + MOST_NAMED);
        page.blank();
    }
}

fn conclusion(page: &mut Page, run: &Run, verdict: &Verdict) {
    page.banner(verdict.decision, &verdict.counts.spoken_in_full());
    if let Some(reason) = &verdict.reason {
        page.quote("because", reason, 1);
    }
    let mut facts: Vec<_> = verdict
        .run
        .iter()
        .map(|run| line(run, LONGEST_NAME))
        .collect();
    if let Some(plan) = &run.plan {
        let target = format!("target {} ({})", plan.target.name, plan.target.class);
        facts.push(line(&target, LONGEST_NAME));
        let defect = plan.target.defect.iter();
        facts.extend(defect.map(|id| format!("seeded defect {}", line(id, LONGEST_NAME))));
        facts.push(format!("profile {}", plan.profile));
        facts.push(format!("seed {}", plan.seed));
    }
    facts.push(format!("policy {}", line(&verdict.policy, LONGEST_NAME)));
    facts.extend(verdict.duration_ms.map(spoken_ms));
    page.row("run", Tone::Quiet, &facts.join(" · "), None);
}

fn and_more(page: &mut Page, all: usize, shown: usize) {
    match all.saturating_sub(shown) {
        0 => {}
        rest => page.row("", Tone::Quiet, &format!("… and {rest} more"), None),
    }
}
