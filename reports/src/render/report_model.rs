//! The model of a report: what every renderer shows about each check.

use super::evidence::evidence_lines;
use super::text::sanitize_line;
use crate::record::{
    Criticality, Evidence, Finding, HttpExchange, Outcome, PlannedCheck, Profile, Run, TRIALS_DIR,
    Trial,
};
use crate::verdict::{
    CauseGroup, CheckStatus, CheckVerdict, Decision, Reason, SkipReason, Verdict, WaiverVerdict,
};

/// The maximum length in characters of a command that is shown for copying.
const MAX_COMMAND: usize = 2_000;

/// A check with its plan, its deciding trial and its reason.
#[derive(Clone, Copy)]
pub(super) struct CheckReport<'a> {
    pub(super) verdict: &'a CheckVerdict,
    pub(super) planned: Option<&'a PlannedCheck>,
    /// The deciding attempt.
    pub(super) trial: Option<&'a Trial>,
    /// The reason against a GO.
    pub(super) reason: Option<&'a Reason>,
    run: &'a Run,
}

/// The checks of a run by result, each list in the order of the plan unless stated otherwise.
pub(super) struct ReportModel<'a> {
    /// All checks.
    pub(super) checks: Vec<CheckReport<'a>>,
    /// The failed checks, the worst first.
    pub(super) failed: Vec<CheckReport<'a>>,
    /// The checks that have no result although one was expected.
    pub(super) without_result: Vec<CheckReport<'a>>,
    /// The checks that do not apply or are not part of the run.
    pub(super) excluded: Vec<CheckReport<'a>>,
    /// The reasons about the run as a whole, and the listed risks other than checks that were not tried.
    pub(super) problems: Vec<&'a Reason>,
    /// Each waiver of the policy in one line, with its expiry.
    pub(super) waivers: Vec<String>,
    /// The causes that explain more than one check, the most important first.
    pub(super) causes: Vec<&'a CauseGroup>,
}

impl<'a> ReportModel<'a> {
    pub(super) fn new(run: &'a Run, verdict: &'a Verdict) -> Self {
        let checks: Vec<_> = verdict
            .checks
            .iter()
            .map(|check| CheckReport::new(check, run, verdict))
            .collect();
        let of_group = |group: Group| -> Vec<_> {
            let checks = checks.iter().copied();
            checks.filter(|check| check.group() == group).collect()
        };
        let mut failed = of_group(Group::Failed);
        failed.sort_by_key(|check| std::cmp::Reverse((check.allows(), check.verdict.severity)));
        let causes = verdict.groups.iter();
        let is_problem = |reason: &&Reason| match &reason.check {
            None => true,
            Some(id) => {
                let check = checks.iter().find(|check| check.verdict.id == *id);
                reason.allows == Decision::Conditional && !check.is_some_and(is_listed_as_not_tried)
            }
        };
        Self {
            failed,
            without_result: of_group(Group::WithoutResult),
            excluded: of_group(Group::Excluded),
            problems: verdict.reasons.iter().filter(is_problem).collect(),
            checks,
            waivers: verdict.waivers.iter().map(WaiverVerdict::line).collect(),
            causes: causes.filter(|group| group.explained() > 1).collect(),
        }
    }

    /// One line for each cause that explains more than one check, with its numbers.
    pub(super) fn cause_lines(&self) -> Vec<String> {
        let causes = self.causes.iter();
        causes
            .map(|group| group.summary(self.failed.len()))
            .collect()
    }

    /// The failed checks that are shown in detail: the first of each cause; and the others.
    pub(super) fn failed_by_cause(&self) -> (Vec<CheckReport<'a>>, Vec<CheckReport<'a>>) {
        let repeats = |check: &CheckReport<'_>| {
            let id = &check.verdict.id;
            let mut causes = self.causes.iter();
            causes.any(|group| group.checks.contains(id) && group.first != *id)
        };
        let failed = self.failed.iter().copied();
        failed.partition(|check| !repeats(check))
    }
}

/// Whether the check is a risk because it was not tried. One line states the number of all such checks.
fn is_listed_as_not_tried(check: &CheckReport<'_>) -> bool {
    check.is_blocked() && check.verdict.criticality == Criticality::Advisory
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Passed,
    Failed,
    WithoutResult,
    Excluded,
}

impl<'a> CheckReport<'a> {
    fn new(check: &'a CheckVerdict, run: &'a Run, verdict: &'a Verdict) -> Self {
        let is_about_check = |reason: &&Reason| reason.check.as_ref() == Some(&check.id);
        Self {
            verdict: check,
            planned: run.plan.as_ref().and_then(|plan| plan.check(&check.id)),
            trial: run.trials.iter().find(|trial| is_deciding(trial, check)),
            reason: verdict.reasons.iter().find(is_about_check),
            run,
        }
    }

    fn group(&self) -> Group {
        match (self.verdict.status, self.verdict.skip) {
            (CheckStatus::Passed, _) => Group::Passed,
            (CheckStatus::Failed, _) => Group::Failed,
            (
                CheckStatus::Skipped,
                Some(
                    SkipReason::NotInProfile | SkipReason::NotSelected | SkipReason::NotApplicable,
                ),
            ) => Group::Excluded,
            (CheckStatus::Errored | CheckStatus::Skipped | CheckStatus::NotRun, _) => {
                Group::WithoutResult
            }
        }
    }

    /// The state of the check for a reader: `failed`, `no result`, `passed` or `not in this run`.
    pub(super) fn state_name(&self) -> &'static str {
        match self.group() {
            Group::Failed => "failed",
            Group::WithoutResult => "no result",
            Group::Passed => "passed",
            Group::Excluded => "not in this run",
        }
    }

    /// Whether the plan refused the check.
    pub(super) fn is_refused(&self) -> bool {
        self.trial.is_none() && self.verdict.status == CheckStatus::Skipped
    }

    /// Whether the check was not tried because a check on which it relies has failed twice.
    pub(super) fn is_blocked(&self) -> bool {
        self.verdict.skip == Some(SkipReason::Blocked)
    }

    /// Whether the check was planned and has no trial.
    pub(super) fn is_not_run(&self) -> bool {
        self.verdict.status == CheckStatus::NotRun
    }

    /// The best decision that the check allows.
    fn allows(&self) -> Decision {
        self.reason.map_or(Decision::Go, |reason| reason.allows)
    }

    /// The name of the best decision that the check allows.
    pub(super) fn allows_name(&self) -> &'static str {
        match self.allows() {
            Decision::Go => "not counted",
            decision @ (Decision::Conditional | Decision::Inconclusive | Decision::NoGo) => {
                decision.name()
            }
        }
    }

    /// The reason for the status.
    pub(super) fn detail(&self) -> &'a str {
        let detail = self.verdict.detail.as_deref();
        detail.unwrap_or("no reason is recorded")
    }

    /// The findings, in order.
    pub(super) fn findings(&self) -> &'a [Finding] {
        self.trial.map_or(&[], |trial| &trial.findings)
    }

    /// The observations of what the system itself reports about a finding, as lines.
    pub(super) fn context_lines(&self, finding: &Finding) -> Vec<String> {
        let context = self.trial.into_iter().flat_map(|it| it.context(finding));
        context.flat_map(evidence_lines).collect()
    }

    /// The last HTTP request of the check until it failed.
    pub(super) fn last_call(&self) -> Option<&'a HttpExchange> {
        let evidence = self.trial.map_or(&[][..], Trial::observed);
        evidence.iter().rev().find_map(|evidence| match evidence {
            Evidence::Http(exchange) => Some(exchange),
            Evidence::Sql(_) | Evidence::Wait(_) | Evidence::Observed(_) => None,
        })
    }

    /// The command that repeats the last HTTP request, or the file that contains it if the command
    /// cannot be copied from one line.
    pub(super) fn curl(&self) -> Option<String> {
        let curl = &self.last_call()?.curl;
        let shown = sanitize_line(curl, MAX_COMMAND);
        Some(match self.journal() {
            Some(journal) if shown != *curl => format!("see 'curl' in {journal}"),
            _ => shown,
        })
    }

    /// The rules that the check proves, with the classes of the first one.
    pub(super) fn rules(&self) -> Option<String> {
        let plan = self.run.plan.as_ref()?;
        let mut rules = plan.rules_of(&self.verdict.id);
        let first = rules.next()?;
        let owasp = first
            .owasp
            .iter()
            .map(|class| format!("OWASP {class}:2023"));
        let cwe = first.cwe.iter().map(|number| format!("CWE-{number}"));
        let ids = std::iter::once(first.id.clone()).chain(rules.map(|rule| rule.id.clone()));
        let ids = ids.collect::<Vec<_>>().join(", ");
        let asvs = first.asvs.iter().map(|id| format!("ASVS {id}"));
        let classes = owasp.chain(cwe).chain(asvs).collect::<Vec<_>>().join(" · ");
        Some(sanitize_line(&format!("{ids} · {classes}"), MAX_COMMAND))
    }

    /// What to change so that the first of these rules holds.
    pub(super) fn remedy(&self) -> Option<String> {
        let plan = self.run.plan.as_ref()?;
        let rule = plan.rules_of(&self.verdict.id).next()?;
        let remedy = Some(&rule.remedy).filter(|remedy| !remedy.is_empty());
        remedy.map(|remedy| sanitize_line(remedy, MAX_COMMAND))
    }

    /// The journal of the trial, relative to the run directory.
    pub(super) fn journal(&self) -> Option<String> {
        let trial = self.trial?;
        let stem = trial.check.file_stem();
        Some(format!("{TRIALS_DIR}/{stem}.{}.jsonl", trial.attempt))
    }

    /// The source location of the check.
    pub(super) fn source(&self) -> Option<String> {
        self.planned
            .map(|planned| format!("{}:{}", planned.source.file, planned.source.line))
    }

    /// The command that runs the check again.
    pub(super) fn rerun(&self) -> String {
        self.rerun_parts().join(" ")
    }

    /// The same command, in parts that must stay on one line.
    pub(super) fn rerun_parts(&self) -> Vec<String> {
        let mut command = Vec::from([
            "cutover validate".to_owned(),
            format!("--check {}", self.verdict.id),
        ]);
        if let Some(plan) = &self.run.plan {
            let file = plan.target.file.as_deref();
            let file = file.filter(|file| sanitize_line(file, MAX_COMMAND) == **file);
            let file = file.map(shell_quoted);
            command.extend(file.map(|file| format!("--target {file}")));
            let profile = (plan.profile != Profile::Gate).then(|| plan.profile.name());
            let defect = plan.target.defect.as_deref().filter(|id| is_shell_safe(id));
            command.extend(profile.map(|profile| format!("--profile {profile}")));
            command.extend(defect.map(|defect| format!("--defect {defect}")));
        }
        command
    }
}

/// Whether a shell reads the text as one word without special characters.
fn is_shell_safe(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A path as one shell word.
fn shell_quoted(path: &str) -> String {
    if path.split('/').all(is_shell_safe) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// Groups checks by their detail, in the order of the first check of each group.
pub(super) fn group_by_detail<'s, 'a>(
    checks: &'s [CheckReport<'a>],
) -> Vec<(&'a str, Vec<&'s CheckReport<'a>>)> {
    let mut groups: Vec<(&str, Vec<&CheckReport<'_>>)> = Vec::new();
    for check in checks {
        let detail = check.detail();
        match groups.iter_mut().find(|(known, _)| *known == detail) {
            Some((_, group)) => group.push(check),
            None => groups.push((detail, vec![check])),
        }
    }
    groups
}

/// Whether the verdict on a check is the result of this attempt.
fn is_deciding(trial: &Trial, check: &CheckVerdict) -> bool {
    let duration = trial.finished.as_ref().map(|(_, duration)| *duration);
    let detail = match (trial.findings.first(), trial.outcome()) {
        (Some(finding), _) => Some(finding.summary.as_str()),
        (None, Some(Outcome::Errored { cause })) => Some(cause.as_str()),
        (None, Some(Outcome::Skipped { reason, .. })) => Some(reason.as_str()),
        (None, Some(Outcome::Passed | Outcome::Failed)) => None,
        // The judge writes the detail of an attempt that did not finish.
        (None, None) => check.detail.as_deref(),
    };
    trial.check == check.id && duration == check.duration_ms && detail == check.detail.as_deref()
}
