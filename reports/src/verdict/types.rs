//! What a verdict says.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::exit;
use crate::record::{CheckId, Criticality, Severity};

/// The version of the verdict's format that this build writes.
pub const VERDICT_VERSION: u32 = 1;

/// Whether the system may be promoted, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Everything that was planned ran and held.
    Go,
    /// It may, at the risks that are listed.
    Conditional,
    /// We could not tell.
    Inconclusive,
    /// It must not.
    NoGo,
}

/// The verdict on a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The format's version.
    pub v: u32,
    /// The decision.
    pub decision: Decision,
    /// The first deciding reason, in at most 200 characters; `None` for a GO.
    pub reason: Option<String>,
    /// Every reason, the deciding ones first.
    pub reasons: Vec<Reason>,
    /// The run's id, if its plan can be read.
    pub run: Option<String>,
    /// The policy's name.
    pub policy: String,
    /// Whether the policy lets no CONDITIONAL pass.
    #[serde(default)]
    pub strict: bool,
    /// When it was judged.
    #[serde(with = "time::serde::rfc3339")]
    pub judged_at: OffsetDateTime,
    /// How long the run took, in milliseconds, if it came to its end.
    pub duration_ms: Option<f64>,
    /// How the checks ended.
    pub counts: Counts,
    /// How they ended, by suite, in the plan's order.
    pub suites: Vec<SuiteCounts>,
    /// What became of each check, in the plan's order.
    pub checks: Vec<Judged>,
}

/// Something that speaks against a GO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The best decision that is possible in spite of it.
    pub allows: Decision,
    /// The check it is about, if it is about one.
    pub check: Option<CheckId>,
    /// How bad that check's failure is.
    pub severity: Option<Severity>,
    /// The reason, for a person.
    pub text: String,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its statement held.
    Passed,
    /// Its statement was refuted.
    Failed,
    /// It could not tell.
    Errored,
    /// It did not apply, or was not asked.
    Skipped,
    /// It was planned and there is no trace of it.
    NotRun,
}

/// What became of a check, with what a report needs to say about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The check.
    pub id: CheckId,
    /// Its statement.
    pub statement: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How much the decision needs its answer.
    pub criticality: Criticality,
    /// What became of it: the worst of its attempts.
    pub status: Status,
    /// Why, unless it passed.
    pub detail: Option<String>,
    /// How long the deciding attempt took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How many attempts there were.
    pub attempts: usize,
}

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub planned: usize,
    /// Those whose statement held.
    pub passed: usize,
    /// Those whose statement was refuted.
    pub failed: usize,
    /// Those that could not tell.
    pub errored: usize,
    /// Those that did not apply or were not asked.
    pub skipped: usize,
    /// Those without a trace.
    pub not_run: usize,
}

/// How many checks of a suite ended how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteCounts {
    /// The suite.
    pub suite: String,
    /// Its counts.
    pub counts: Counts,
}

impl Decision {
    /// The decision as people say it.
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

impl Status {
    /// The status as reports write it.
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
    pub(super) fn add(&mut self, status: Status) {
        self.planned += 1;
        *match status {
            Status::Passed => &mut self.passed,
            Status::Failed => &mut self.failed,
            Status::Errored => &mut self.errored,
            Status::Skipped => &mut self.skipped,
            Status::NotRun => &mut self.not_run,
        } += 1;
    }
}

impl Verdict {
    /// The binary's exit code for this verdict; strict if the caller or the policy is.
    pub fn exit_code(&self, strict: bool) -> u8 {
        match self.decision {
            Decision::Conditional if strict || self.strict => exit::CONDITIONAL,
            Decision::Go | Decision::Conditional => exit::GO,
            Decision::Inconclusive => exit::INCONCLUSIVE,
            Decision::NoGo => exit::NO_GO,
        }
    }
}
