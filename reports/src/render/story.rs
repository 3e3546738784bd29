//! What a person must learn about each check, gathered once for all renderers.

use super::text::line;
use crate::record::{
    Admission, Evidence, Finding, HttpExchange, Outcome, PlannedCheck, Profile, Run, SkipClass,
    TRIALS_DIR, Trial,
};
use crate::verdict::{Decision, Judged, Reason, Status, Verdict};

/// How long a command may be, in characters, that is shown to be pasted.
const LONGEST_COMMAND: usize = 2_000;

/// A check with everything that speaks about it.
#[derive(Clone, Copy)]
pub(super) struct Chapter<'a> {
    pub(super) judged: &'a Judged,
    pub(super) planned: Option<&'a PlannedCheck>,
    /// The attempt that decided.
    pub(super) trial: Option<&'a Trial>,
    /// What it says against a GO.
    pub(super) reason: Option<&'a Reason>,
    run: &'a Run,
}

/// The checks by what a reader wants of them, each in the plan's order unless said otherwise.
pub(super) struct Story<'a> {
    /// All of them.
    pub(super) all: Vec<Chapter<'a>>,
    /// Those that were refuted, the worst first.
    pub(super) failed: Vec<Chapter<'a>>,
    /// Those that should have given an answer and did not.
    pub(super) unanswered: Vec<Chapter<'a>>,
    /// Those that did not apply or were not asked for.
    pub(super) left_out: Vec<Chapter<'a>>,
    /// What speaks against the run as a whole, and what was accepted.
    pub(super) remarks: Vec<&'a Reason>,
}

impl<'a> Story<'a> {
    pub(super) fn of(run: &'a Run, verdict: &'a Verdict) -> Self {
        let all: Vec<_> = verdict
            .checks
            .iter()
            .map(|judged| Chapter::of(judged, run, verdict))
            .collect();
        let those = |kind: Kind| -> Vec<_> {
            let chapters = all.iter().copied();
            chapters.filter(|chapter| chapter.kind() == kind).collect()
        };
        let mut failed = those(Kind::Failed);
        failed
            .sort_by_key(|chapter| std::cmp::Reverse((chapter.allows(), chapter.judged.severity)));
        let remark =
            |reason: &&Reason| reason.check.is_none() || reason.allows == Decision::Conditional;
        Self {
            failed,
            unanswered: those(Kind::Unanswered),
            left_out: those(Kind::LeftOut),
            all,
            remarks: verdict.reasons.iter().filter(remark).collect(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failed,
    Unanswered,
    LeftOut,
}

impl<'a> Chapter<'a> {
    fn of(judged: &'a Judged, run: &'a Run, verdict: &'a Verdict) -> Self {
        let about = |reason: &&Reason| reason.check.as_ref() == Some(&judged.id);
        Self {
            judged,
            planned: run.plan.as_ref().and_then(|plan| plan.check(&judged.id)),
            trial: run.trials.iter().find(|trial| decided(trial, judged)),
            reason: verdict.reasons.iter().find(about),
            run,
        }
    }

    fn kind(&self) -> Kind {
        match (self.judged.status, self.skip_class()) {
            (Status::Passed, _) => Kind::Passed,
            (Status::Failed, _) => Kind::Failed,
            (Status::Skipped, Some(SkipClass::Filtered | SkipClass::NotApplicable)) => {
                Kind::LeftOut
            }
            (Status::Errored | Status::Skipped | Status::NotRun, _) => Kind::Unanswered,
        }
    }

    /// Whether it was left out before the run began.
    pub(super) fn was_refused(&self) -> bool {
        self.trial.is_none() && self.judged.status == Status::Skipped
    }

    /// Whether it was to run and left no trace.
    pub(super) fn never_ran(&self) -> bool {
        self.judged.status == Status::NotRun
    }

    /// The best decision that is possible in spite of it.
    fn allows(&self) -> Decision {
        self.reason.map_or(Decision::Go, |reason| reason.allows)
    }

    /// What it means for the decision.
    pub(super) fn weight(&self) -> &'static str {
        match self.allows() {
            Decision::Go => "not counted",
            Decision::Conditional => "a listed risk",
            Decision::Inconclusive => "no verdict without it",
            Decision::NoGo => "NO-GO",
        }
    }

    /// Why it ended as it did.
    pub(super) fn detail(&self) -> &'a str {
        let detail = self.judged.detail.as_deref();
        detail.unwrap_or("it does not say why")
    }

    /// What is wrong, in the order in which it was found.
    pub(super) fn findings(&self) -> &'a [Finding] {
        self.trial.map_or(&[], |trial| &trial.findings)
    }

    /// The last request that the check made.
    pub(super) fn last_call(&self) -> Option<&'a HttpExchange> {
        let evidence = self.trial.map_or(&[][..], |trial| &trial.evidence);
        evidence.iter().rev().find_map(|evidence| match evidence {
            Evidence::Http(exchange) => Some(exchange),
            Evidence::Sql(_) | Evidence::Wait(_) | Evidence::Observed(_) => None,
        })
    }

    /// The command that repeats its last request, or where it stands if it is no line to paste.
    pub(super) fn repeat(&self) -> Option<String> {
        let curl = &self.last_call()?.curl;
        let pasteable = line(curl, LONGEST_COMMAND) == *curl;
        Some(match self.journal() {
            Some(journal) if !pasteable => format!("see 'curl' in {journal}"),
            _ => line(curl, LONGEST_COMMAND),
        })
    }

    /// The file that holds everything the check saw, in the run directory.
    pub(super) fn journal(&self) -> Option<String> {
        let trial = self.trial?;
        let stem = trial.check.file_stem();
        Some(format!("{TRIALS_DIR}/{stem}.{}.jsonl", trial.attempt))
    }

    /// What kind of skip it was, if it was one.
    pub(super) fn skip_class(&self) -> Option<SkipClass> {
        match (self.trial, self.planned.map(|planned| &planned.admission)) {
            (Some(trial), _) => match trial.outcome()? {
                Outcome::Skipped { class, .. } => Some(*class),
                Outcome::Passed | Outcome::Failed | Outcome::Errored { .. } => None,
            },
            (None, Some(Admission::Refused { class, .. })) => Some(*class),
            (None, Some(Admission::Admitted) | None) => None,
        }
    }

    /// Where it is written.
    pub(super) fn source(&self) -> Option<String> {
        self.planned
            .map(|planned| format!("{}:{}", planned.source.file, planned.source.line))
    }

    /// The command that asks the same question again.
    pub(super) fn again(&self) -> String {
        let mut command = format!("cutover validate --check {}", self.judged.id);
        if let Some(plan) = &self.run.plan {
            let file = plan.target.file.as_deref();
            let file = file.filter(|file| line(file, LONGEST_COMMAND) == **file);
            let file = file.map(quoted);
            command.extend(file.iter().flat_map(|file| [" --target ", file]));
            let profile = (plan.profile != Profile::Gate).then(|| plan.profile.name());
            let defect = plan.target.defect.as_deref().filter(|id| is_a_word(id));
            for (option, value) in [(" --profile ", profile), (" --defect ", defect)] {
                command.extend(value.map(|value| [option, value]).into_iter().flatten());
            }
        }
        command
    }
}

/// Whether a shell takes it for one word and nothing else.
fn is_a_word(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A path as one word for a shell.
fn quoted(path: &str) -> String {
    if path.split('/').all(is_a_word) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// Chapters with the same detail together, in the order in which each detail comes first.
pub(super) fn by_detail<'s, 'a>(
    chapters: &'s [Chapter<'a>],
) -> Vec<(&'a str, Vec<&'s Chapter<'a>>)> {
    let mut groups: Vec<(&str, Vec<&Chapter<'_>>)> = Vec::new();
    for chapter in chapters {
        let detail = chapter.detail();
        match groups.iter_mut().find(|(known, _)| *known == detail) {
            Some((_, alike)) => alike.push(chapter),
            None => groups.push((detail, vec![chapter])),
        }
    }
    groups
}

/// Whether it was this attempt of which the verdict speaks.
fn decided(trial: &Trial, judged: &Judged) -> bool {
    let duration = trial.finished.as_ref().map(|(_, duration)| *duration);
    let said = match (trial.findings.first(), trial.outcome()) {
        (Some(finding), _) => Some(finding.summary.as_str()),
        (None, Some(Outcome::Errored { cause })) => Some(cause.as_str()),
        (None, Some(Outcome::Skipped { reason, .. })) => Some(reason.as_str()),
        (None, Some(Outcome::Passed | Outcome::Failed)) => None,
        // That an attempt never ended is the judge's own word for it.
        (None, None) => judged.detail.as_deref(),
    };
    trial.check == judged.id && duration == judged.duration_ms && said == judged.detail.as_deref()
}
