//! The report at the end of a run. The worst results are the last ones, next to the prompt.

use std::path::PathBuf;

use super::details::{write_details, write_title};
use super::page::{DEFAULT_WIDTH, TerminalPage};
use crate::record::Run;
use crate::render::duration::human_ms;
use crate::render::palette::TextRole;
use crate::render::report_model::{CheckReport, ReportModel, group_by_detail};
use crate::render::text::sanitize_line;
use crate::render::{Html, Palette, Render, ReportFile as _};
use crate::verdict::{Decision, Verdict};

/// The maximum number of checks with details.
const MAX_DETAILED: usize = 10;
/// The maximum number of further checks, each on one line.
const MAX_LISTED: usize = 40;
/// The maximum number of problems of the run.
const MAX_PROBLEMS: usize = 10;
/// The maximum number of causes.
const MAX_CAUSES: usize = 8;
/// The maximum length of a problem in characters.
const MAX_PROBLEM: usize = 200;
/// The number of slowest checks.
const SLOWEST: usize = 3;
/// The maximum number of reasons for checks without a result.
const MAX_REASONS: usize = 8;
/// The maximum length of a name in characters.
const MAX_NAME: usize = 200;

/// The report for a terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Whether it is coloured.
    pub palette: Palette,
    /// The width of the terminal in columns.
    pub width: usize,
    /// The run directory, if the report names its files.
    pub path: Option<PathBuf>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            palette: Palette::Plain,
            width: DEFAULT_WIDTH,
            path: None,
        }
    }
}

impl Render for Terminal {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let model = ReportModel::new(run, verdict);
        let mut page = TerminalPage::new(self.palette, self.width);
        page.blank_line();
        write_suites(&mut page, verdict);
        write_slowest(&mut page, &model);
        let rest = model.without_result.iter().copied();
        let (not_run, rest): (Vec<_>, Vec<_>) = rest.partition(CheckReport::is_not_run);
        let rest = rest.into_iter();
        let (refused, rest): (Vec<_>, Vec<_>) = rest.partition(CheckReport::is_refused);
        let rest = rest.into_iter();
        let (blocked, rest): (Vec<_>, Vec<_>) = rest.partition(CheckReport::is_blocked);
        write_reasons(&mut page, "not tried", &blocked);
        write_reasons(&mut page, "skipped", &model.excluded);
        write_reasons(&mut page, "refused", &refused);
        write_reasons(&mut page, "not run", &not_run);
        write_problems(&mut page, &model);
        page.blank_line();
        write_checks(&mut page, &rest, &[]);
        let (failed, repeated) = model.failed_by_cause();
        write_checks(&mut page, &failed, &repeated);
        write_causes(&mut page, &model);
        write_waivers(&mut page, &model);
        page.rule();
        write_conclusion(&mut page, run, verdict);
        if let Some(path) = &self.path {
            let report = path.join(Html.file_name()).display().to_string();
            page.unwrapped("report", &sanitize_line(&report, usize::MAX));
        }
        page.finish()
    }
}

fn write_suites(page: &mut TerminalPage, verdict: &Verdict) {
    let widest = verdict.suites.iter().map(|suite| suite.suite.len()).max();
    let widest = widest.unwrap_or_default();
    let mut label = "suites";
    for suite in &verdict.suites {
        let counts = suite.counts.summary();
        let text = format!("{:<widest$}  {counts}", suite.suite);
        page.items(label, &text, None);
        label = "";
    }
}

fn write_slowest(page: &mut TerminalPage, model: &ReportModel<'_>) {
    let mut timed: Vec<_> = model
        .checks
        .iter()
        .filter_map(|check| Some((check.verdict.duration_ms?, &check.verdict.id)))
        .collect();
    timed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    timed.truncate(SLOWEST);
    let timed = timed.into_iter().map(|(ms, id)| (human_ms(ms), id));
    let timed: Vec<_> = timed.collect();
    let widest = timed.iter().map(|(duration, _)| duration.len()).max();
    let widest = widest.unwrap_or_default();
    let mut label = "slowest";
    for (duration, id) in timed {
        page.row(
            label,
            TextRole::Muted,
            &format!("{duration:>widest$}  {id}"),
            None,
        );
        label = "";
    }
}

/// Writes one line for each reason, with the number of checks.
fn write_reasons(page: &mut TerminalPage, mut label: &str, checks: &[CheckReport<'_>]) {
    let reasons = group_by_detail(checks);
    for (reason, group) in reasons.iter().take(MAX_REASONS) {
        let subject = match group.as_slice() {
            [single] => single.verdict.id.to_string(),
            several => format!("{} checks", several.len()),
        };
        page.quote(label, &format!("{subject}: {reason}"), 2);
        label = "";
    }
    write_more(page, reasons.len(), MAX_REASONS);
}

/// Writes the risks and the problems of the run.
fn write_problems(page: &mut TerminalPage, model: &ReportModel<'_>) {
    write_more(page, model.problems.len(), MAX_PROBLEMS);
    for problem in model.problems.iter().take(MAX_PROBLEMS).rev() {
        let label = match problem.allows {
            Decision::Conditional => "risk",
            Decision::Go | Decision::Inconclusive | Decision::NoGo => "problem",
        };
        page.quote(label, &sanitize_line(&problem.text, MAX_PROBLEM), 1);
    }
}

/// Writes the first checks with their details, and the others, also the repeated ones, as lines.
fn write_checks(page: &mut TerminalPage, checks: &[CheckReport<'_>], repeated: &[CheckReport<'_>]) {
    for check in checks.iter().take(MAX_DETAILED) {
        write_details(page, check);
        page.blank_line();
    }
    let others = checks.iter().skip(MAX_DETAILED).chain(repeated);
    let others: Vec<_> = others.collect();
    if !others.is_empty() {
        let listed = others.iter().take(MAX_LISTED);
        listed.for_each(|check| write_title(page, check));
        write_more(page, others.len(), MAX_LISTED);
        page.blank_line();
    }
}

/// Writes the causes that explain more than one check.
fn write_causes(page: &mut TerminalPage, model: &ReportModel<'_>) {
    let causes = model.cause_lines();
    let mut label = "causes";
    for cause in causes.iter().take(MAX_CAUSES) {
        page.quote(label, cause, 1);
        label = "";
    }
    write_more(page, causes.len(), MAX_CAUSES);
}

/// Writes all waivers of the policy.
fn write_waivers(page: &mut TerminalPage, model: &ReportModel<'_>) {
    let mut label = "waivers";
    for waiver in &model.waivers {
        page.quote(label, waiver, 1);
        label = "";
    }
}

fn write_conclusion(page: &mut TerminalPage, run: &Run, verdict: &Verdict) {
    page.banner(verdict.decision, &verdict.counts.headline(run.profile()));
    if let Some(reason) = &verdict.reason {
        page.quote("reason", reason, 1);
    }
    let mut facts: Vec<_> = verdict
        .run
        .iter()
        .map(|run| sanitize_line(run, MAX_NAME))
        .collect();
    if let Some(plan) = &run.plan {
        let target = format!("target {} ({})", plan.target.name, plan.target.class);
        facts.push(sanitize_line(&target, MAX_NAME));
        let defect = plan.target.defect.iter();
        facts.extend(defect.map(|id| format!("seeded defect {}", sanitize_line(id, MAX_NAME))));
        facts.push(format!("profile {}", plan.profile));
        facts.push(format!("seed {}", plan.seed));
    }
    let policy = sanitize_line(&verdict.policy, MAX_NAME);
    facts.push(format!("policy {policy}"));
    facts.extend(verdict.duration_ms.map(human_ms));
    page.items("run", &facts.join(" · "), None);
}

fn write_more(page: &mut TerminalPage, all: usize, shown: usize) {
    match all.saturating_sub(shown) {
        0 => {}
        rest => page.row("", TextRole::Muted, &format!("… and {rest} more"), None),
    }
}
