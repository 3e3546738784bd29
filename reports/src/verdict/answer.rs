//! What became of one planned check: the worst of its attempts, by the first two laws.

use std::cmp::Ordering;

use super::types::{Decision, Judged, Status};
use crate::policy::Policy;
use crate::record::{
    Admission, Criticality, Outcome, PlannedCheck, Run, Severity, SkipClass, Trial,
};

/// What one planned check came to.
pub(super) struct Answer<'a> {
    pub(super) planned: &'a PlannedCheck,
    pub(super) judged: Judged,
    /// The best decision that it allows.
    pub(super) allows: Decision,
}

/// A planned check, and how much its answer is wanted.
struct Asked<'a> {
    planned: &'a PlannedCheck,
    policy: &'a Policy,
    /// Whether the run's profile asks for it.
    by_profile: bool,
}

/// How one attempt ended, or what stands for it where there was none.
struct Ending<'a> {
    status: Status,
    skip: Option<SkipClass>,
    detail: Option<&'a str>,
    duration_ms: Option<f64>,
    /// Whether its journal has an end.
    ended: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn of(planned: &'a PlannedCheck, run: &'a Run, policy: &Policy) -> Self {
        let profile = run.plan.as_ref().map(|plan| plan.profile);
        let asked = Asked {
            planned,
            policy,
            by_profile: profile.is_none_or(|profile| policy.asks_for(profile, planned)),
        };
        let attempts = run.trials.iter().filter(|trial| trial.check == planned.id);
        let endings: Vec<_> = attempts.map(Ending::of).collect();
        let count = endings.len();
        let worst = endings.into_iter().max_by(|a, b| a.compare(b, &asked));
        let worst = worst.unwrap_or_else(|| Ending::without_attempt(planned));
        let judged = Judged {
            id: planned.id.clone(),
            statement: planned.statement.clone(),
            severity: planned.severity,
            criticality: planned.criticality,
            status: worst.status,
            detail: worst.detail.map(str::to_owned),
            duration_ms: worst.duration_ms,
            attempts: count,
        };
        Self {
            planned,
            judged,
            allows: worst.allows(&asked),
        }
    }
}

impl<'a> Ending<'a> {
    fn of(trial: &'a Trial) -> Self {
        let finding = trial
            .findings
            .first()
            .map(|finding| finding.summary.as_str());
        let duration_ms = trial.finished.as_ref().map(|(_, duration)| *duration);
        let (status, skip, detail) = match (trial.outcome(), finding) {
            // A finding counts even where the trial's end says otherwise or is missing.
            (Some(Outcome::Failed), finding) => (Status::Failed, None, finding),
            (_, Some(finding)) => (Status::Failed, None, Some(finding)),
            (None, None) => (Status::Errored, None, Some("it began and never ended")),
            (Some(Outcome::Passed), None) => (Status::Passed, None, None),
            (Some(Outcome::Errored { cause }), None) => {
                (Status::Errored, None, Some(cause.as_str()))
            }
            (Some(Outcome::Skipped { class, reason }), None) => {
                (Status::Skipped, Some(*class), Some(reason.as_str()))
            }
        };
        Self {
            status,
            skip,
            detail,
            duration_ms,
            ended: trial.finished.is_some(),
        }
    }

    fn without_attempt(planned: &'a PlannedCheck) -> Self {
        let (status, skip, detail) = match &planned.admission {
            Admission::Admitted => (Status::NotRun, None, "it never ran"),
            Admission::Refused { class, reason } => {
                (Status::Skipped, Some(*class), reason.as_str())
            }
        };
        Self {
            status,
            skip,
            detail: Some(detail),
            duration_ms: None,
            ended: false,
        }
    }

    /// The worst is the greatest, whatever the order of attempts: a pass after a
    /// failure does not undo it. Equally bad ones are told apart by what they
    /// say, so that the verdict is the same to its last detail.
    fn compare(&self, other: &Self, asked: &Asked<'_>) -> Ordering {
        let badness = |ending: &Self| {
            let length = ending.duration_ms.map(f64::to_bits);
            (ending.allows(asked), ending.status, ending.detail, length)
        };
        badness(self).cmp(&badness(other))
    }

    /// The best decision that this ending allows: a failure is judged by its
    /// severity, a missing answer by the check's criticality.
    fn allows(&self, asked: &Asked<'_>) -> Decision {
        let Asked {
            planned, policy, ..
        } = *asked;
        let unanswered = match planned.criticality {
            Criticality::Required => Decision::Inconclusive,
            Criticality::Advisory => Decision::Conditional,
        };
        match (self.status, self.skip) {
            (Status::Failed, _) => by_severity(planned.severity, policy),
            // What the profile does not ask for is not missed.
            (Status::Skipped, _) if !asked.by_profile => Decision::Go,
            // Nobody knows what it would have said, not even that it could not tell:
            // a failure whose journal is lost must not become a listed risk.
            (Status::NotRun, _) => Decision::Inconclusive,
            (Status::Errored, _) if !self.ended => Decision::Inconclusive,
            // What nobody requires may be left out; a required suite is whole or no evidence.
            (Status::Skipped, Some(SkipClass::Filtered)) if policy.requires(planned.id.suite()) => {
                Decision::Inconclusive
            }
            (Status::Passed, _)
            | (Status::Skipped, Some(SkipClass::NotApplicable | SkipClass::Filtered)) => {
                Decision::Go
            }
            (Status::Skipped | Status::Errored, _) => unanswered,
        }
    }
}

fn by_severity(severity: Severity, policy: &Policy) -> Decision {
    if severity >= policy.bar {
        Decision::NoGo
    } else {
        Decision::Conditional
    }
}
