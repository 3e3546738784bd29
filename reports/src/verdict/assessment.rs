//! The assessment of one planned check: the worst result of its attempts.

use std::cmp::Ordering;

use super::fingerprint::fingerprint;
use super::types::{CheckStatus, CheckVerdict, Decision, SkipReason};
use crate::policy::Policy;
use crate::record::{
    Admission, CheckId, Criticality, Outcome, PlannedCheck, Run, Severity, SkipClass, Trial,
};

/// A planned check with its verdict.
pub(super) struct Assessment<'a> {
    pub(super) planned: &'a PlannedCheck,
    pub(super) verdict: CheckVerdict,
    /// The best decision that the verdict allows.
    pub(super) allows: Decision,
}

/// A planned check with the rules that apply to it.
struct Requirement<'a> {
    planned: &'a PlannedCheck,
    policy: &'a Policy,
    /// Whether the profile of the run includes the check.
    in_profile: bool,
}

/// The result of one attempt, or its substitute if there was no attempt.
struct AttemptResult<'a> {
    status: CheckStatus,
    skip: Option<SkipClass>,
    detail: Option<&'a str>,
    duration_ms: Option<f64>,
    /// Whether the attempt finished.
    finished: bool,
    trial: Option<&'a Trial>,
}

impl<'a> Assessment<'a> {
    pub(super) fn new(planned: &'a PlannedCheck, run: &'a Run, policy: &Policy) -> Self {
        let requirement = Requirement {
            planned,
            policy,
            in_profile: run
                .profile()
                .is_none_or(|profile| policy.includes(profile, planned)),
        };
        let attempts = run.trials.iter().filter(|trial| trial.check == planned.id);
        let results: Vec<_> = attempts.map(AttemptResult::from_trial).collect();
        let count = results.len();
        let worst = results
            .into_iter()
            .max_by(|a, b| a.compare(b, &requirement));
        let worst = worst.unwrap_or_else(|| AttemptResult::without_attempt(planned));
        let verdict = CheckVerdict {
            id: planned.id.clone(),
            statement: planned.statement.clone(),
            severity: planned.severity,
            criticality: planned.criticality,
            status: worst.status,
            skip: worst.skip.map(|class| requirement.skip_reason(class)),
            detail: worst.detail.map(str::to_owned),
            duration_ms: worst.duration_ms,
            attempts: count,
            fingerprint: worst.fingerprint(&planned.id),
        };
        Self {
            planned,
            verdict,
            allows: worst.allows(&requirement),
        }
    }
}

impl Requirement<'_> {
    fn skip_reason(&self, class: SkipClass) -> SkipReason {
        match class {
            _ if !self.in_profile => SkipReason::NotInProfile,
            SkipClass::Filtered => SkipReason::NotSelected,
            SkipClass::NotApplicable => SkipReason::NotApplicable,
            SkipClass::PreconditionMissing => SkipReason::PreconditionMissing,
            SkipClass::Blocked => SkipReason::Blocked,
        }
    }
}

impl<'a> AttemptResult<'a> {
    fn from_trial(trial: &'a Trial) -> Self {
        let finding = trial
            .findings
            .first()
            .map(|finding| finding.summary.as_str());
        let duration_ms = trial.finished.as_ref().map(|(_, duration)| *duration);
        let (status, skip, detail) = match (trial.outcome(), finding) {
            // A finding counts even if the outcome differs or is missing.
            (Some(Outcome::Failed), finding) => (CheckStatus::Failed, None, finding),
            (_, Some(finding)) => (CheckStatus::Failed, None, Some(finding)),
            (None, None) => (
                CheckStatus::Errored,
                None,
                Some("it started and did not finish"),
            ),
            (Some(Outcome::Passed), None) => (CheckStatus::Passed, None, None),
            (Some(Outcome::Errored { cause }), None) => {
                (CheckStatus::Errored, None, Some(cause.as_str()))
            }
            (Some(Outcome::Skipped { class, reason }), None) => {
                (CheckStatus::Skipped, Some(*class), Some(reason.as_str()))
            }
        };
        Self {
            status,
            skip,
            detail,
            duration_ms,
            finished: trial.finished.is_some(),
            trial: Some(trial),
        }
    }

    fn without_attempt(planned: &'a PlannedCheck) -> Self {
        let (status, skip, detail) = match &planned.admission {
            Admission::Admitted => (CheckStatus::NotRun, None, "it did not start"),
            Admission::Refused { class, reason } => {
                (CheckStatus::Skipped, Some(*class), reason.as_str())
            }
        };
        Self {
            status,
            skip,
            detail: Some(detail),
            duration_ms: None,
            finished: false,
            trial: None,
        }
    }

    /// The fingerprint of the finding, if the attempt failed.
    fn fingerprint(&self, check: &CheckId) -> Option<String> {
        let trial = self.trial.filter(|_| self.status == CheckStatus::Failed)?;
        Some(fingerprint(check, trial))
    }

    /// Orders results from best to worst, regardless of the order of attempts: a
    /// later pass does not cancel a failure. All other fields break ties, so
    /// that the verdict is deterministic.
    fn compare(&self, other: &Self, requirement: &Requirement<'_>) -> Ordering {
        let badness = |result: &Self| {
            let skip = result.skip.map(|class| requirement.skip_reason(class));
            let duration = result.duration_ms.map(f64::to_bits);
            let (allows, status) = (result.allows(requirement), result.status);
            let print = result.fingerprint(&requirement.planned.id);
            (allows, status, skip, result.detail, duration, print)
        };
        badness(self).cmp(&badness(other))
    }

    /// The best decision that this result allows. The severity decides about a
    /// failure, the criticality about a missing result.
    fn allows(&self, requirement: &Requirement<'_>) -> Decision {
        let Requirement {
            planned, policy, ..
        } = *requirement;
        let without_result = match planned.criticality {
            Criticality::Required => Decision::Inconclusive,
            Criticality::Advisory => Decision::Conditional,
        };
        match (self.status, self.skip) {
            (CheckStatus::Failed, _) => by_severity(planned.severity, policy),
            // A check outside of the profile does not count as missing.
            (CheckStatus::Skipped, _) if !requirement.in_profile => Decision::Go,
            // The lost result may have been a failure, which must not become a listed risk.
            (CheckStatus::NotRun, _) => Decision::Inconclusive,
            (CheckStatus::Errored, _) if !self.finished => Decision::Inconclusive,
            // A required suite counts only as a whole; any other suite may be filtered.
            (CheckStatus::Skipped, Some(SkipClass::Filtered))
                if policy.requires(planned.id.suite()) =>
            {
                Decision::Inconclusive
            }
            (CheckStatus::Passed, _)
            | (CheckStatus::Skipped, Some(SkipClass::NotApplicable | SkipClass::Filtered)) => {
                Decision::Go
            }
            (CheckStatus::Skipped | CheckStatus::Errored, _) => without_result,
        }
    }
}

pub(super) fn by_severity(severity: Severity, policy: &Policy) -> Decision {
    if severity >= policy.bar {
        Decision::NoGo
    } else {
        Decision::Conditional
    }
}
