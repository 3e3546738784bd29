//! The data of a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::groups::CauseGroup;
use super::objectives::ObjectiveVerdict;
use super::waivers::WaiverVerdict;
use crate::exit;
use crate::record::{CheckId, Criticality, Severity};

/// The version of the verdict format that this build writes.
pub const VERDICT_VERSION: u32 = 1;

/// Whether the system under test may be promoted, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may: every required check passed.
    Go,
    /// It may, with the listed risks.
    Conditional,
    /// The evidence does not suffice for a decision.
    Inconclusive,
    /// It must not: the system is wrong.
    NoGo,
}

/// The verdict on a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The format version.
    pub v: u32,
    /// The decision.
    pub decision: Decision,
    /// The deciding reason in at most 200 characters; `None` for a GO.
    pub reason: Option<String>,
    /// All reasons, the worst first.
    pub reasons: Vec<Reason>,
    /// The id of the run, if its plan is readable.
    pub run: Option<String>,
    /// The name of the policy.
    pub policy: String,
    /// Whether CONDITIONAL is not a pass under the policy.
    #[serde(default)]
    pub strict: bool,
    /// The time of the judgement.
    #[serde(with = "time::serde::rfc3339")]
    pub judged_at: OffsetDateTime,
    /// The duration of the run in milliseconds, if it finished.
    pub duration_ms: Option<f64>,
    /// The numbers of checks by status.
    pub counts: Counts,
    /// The numbers of checks by suite and status, in the order of the plan.
    pub suites: Vec<SuiteCounts>,
    /// The causes of the failed checks, the most important first.
    #[serde(default)]
    pub groups: Vec<CauseGroup>,
    /// The verdict on each objective of the policy, in its order.
    #[serde(default)]
    pub objectives: Vec<ObjectiveVerdict>,
    /// Each waiver of the policy with its expiry and what became of it, in its order.
    #[serde(default)]
    pub waivers: Vec<WaiverVerdict>,
    /// The verdict on each check, in the order of the plan.
    pub checks: Vec<CheckVerdict>,
}

/// A reason against a GO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The best decision that the reason allows.
    pub allows: Decision,
    /// The check, if the reason is about a single one.
    pub check: Option<CheckId>,
    /// The severity of that check.
    pub severity: Option<Severity>,
    /// The reason, in words.
    pub text: String,
}

/// The status of a check after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// The statement held.
    Passed,
    /// The statement was refuted.
    Failed,
    /// The check has no result because of an error.
    Errored,
    /// The check was skipped.
    Skipped,
    /// The check was planned, and the record has no trial of it.
    NotRun,
}

/// Why a check was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The profile of the run excludes the check.
    NotInProfile,
    /// The selection of suites and checks excludes it.
    NotSelected,
    /// Its statement does not apply to the target's contract.
    NotApplicable,
    /// The target lacks something that it requires.
    PreconditionMissing,
    /// A check on which it relies has failed twice.
    Blocked,
}

/// The verdict on one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckVerdict {
    /// The check.
    pub id: CheckId,
    /// Its statement.
    pub statement: String,
    /// The severity of a failure.
    pub severity: Severity,
    /// Whether a GO requires its result.
    pub criticality: Criticality,
    /// The worst status of its attempts.
    pub status: CheckStatus,
    /// Why it was skipped, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<SkipReason>,
    /// The reason for the status, unless it passed.
    pub detail: Option<String>,
    /// The duration of the deciding attempt in milliseconds.
    pub duration_ms: Option<f64>,
    /// The number of attempts.
    pub attempts: usize,
    /// The fingerprint of the finding of a failed check, by which a waiver may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// The numbers of checks by status. The numbers by reason add up to `skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All planned checks.
    pub planned: usize,
    /// Checks whose statement held.
    pub passed: usize,
    /// Checks whose statement was refuted.
    pub failed: usize,
    /// Checks without a result because of an error.
    pub errored: usize,
    /// Checks that were skipped.
    pub skipped: usize,
    /// Checks that the profile of the run excludes.
    #[serde(default)]
    pub not_in_profile: usize,
    /// Checks that the selection excludes.
    #[serde(default)]
    pub not_selected: usize,
    /// Checks that do not apply to the target's contract.
    #[serde(default)]
    pub not_applicable: usize,
    /// Checks whose precondition the target lacks.
    #[serde(default)]
    pub precondition_missing: usize,
    /// Checks that were not tried because a check on which they rely has failed twice.
    #[serde(default)]
    pub blocked: usize,
    /// Checks without a trial in the record.
    pub not_run: usize,
}

/// The numbers of a suite's checks by status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteCounts {
    /// The suite.
    pub suite: String,
    /// Its counts.
    pub counts: Counts,
}

impl Decision {
    /// The name of the decision in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::Conditional => "CONDITIONAL",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::NoGo => "NO-GO",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl CheckStatus {
    /// The name of the status in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

impl Counts {
    pub(super) fn add(&mut self, check: &CheckVerdict) {
        self.planned += 1;
        *match check.status {
            CheckStatus::Passed => &mut self.passed,
            CheckStatus::Failed => &mut self.failed,
            CheckStatus::Errored => &mut self.errored,
            CheckStatus::Skipped => &mut self.skipped,
            CheckStatus::NotRun => &mut self.not_run,
        } += 1;
        let by_reason = check.skip.map(|reason| match reason {
            SkipReason::NotInProfile => &mut self.not_in_profile,
            SkipReason::NotSelected => &mut self.not_selected,
            SkipReason::NotApplicable => &mut self.not_applicable,
            SkipReason::PreconditionMissing => &mut self.precondition_missing,
            SkipReason::Blocked => &mut self.blocked,
        });
        if let Some(count) = by_reason {
            *count += 1;
        }
    }

    /// The checks that the run includes: all but those outside of its profile or its selection.
    pub fn included(self) -> usize {
        self.planned
            .saturating_sub(self.not_in_profile + self.not_selected)
    }
}

impl Verdict {
    /// The exit code for this verdict. Either the caller or the policy can be strict.
    pub fn exit_code(&self, strict: bool) -> u8 {
        match self.decision {
            Decision::Conditional if strict || self.strict => exit::CONDITIONAL,
            Decision::Go | Decision::Conditional => exit::GO,
            Decision::Inconclusive => exit::INCONCLUSIVE,
            Decision::NoGo => exit::NO_GO,
        }
    }
}
