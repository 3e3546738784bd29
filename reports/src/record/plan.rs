//! The plan: every check of a run, admitted or refused, written before anything runs.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{CheckId, Criticality, Effect, Severity, SkipClass};

/// The version of the plan's format that this build writes and reads.
pub const PLAN_VERSION: u32 = 1;

/// Every check of a run, in order, and why those that will not run will not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format's version.
    pub v: u32,
    /// The run's id.
    pub run: String,
    /// When the plan was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The version of cutover that made it.
    pub cutover: String,
    /// How much the run does.
    pub profile: Profile,
    /// The seed of everything random in the run.
    pub seed: u64,
    /// What is examined.
    pub target: TargetSummary,
    /// What was asked for.
    pub selection: Selection,
    /// The checks.
    pub checks: Vec<PlannedCheck>,
}

/// How much of everything a run does.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Before every push.
    Quick,
    /// The gate before promotion.
    Gate,
    /// Right after cutover.
    Smoke,
    /// Hours, for leaks and drift.
    Soak,
}

/// What is examined, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSummary {
    /// The target's name.
    pub name: String,
    /// Its class: local, staging or production.
    pub class: String,
    /// The kind of stack.
    pub stack: String,
    /// The file that says all of it; nothing where it is the embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The seeded defect the stack was started with, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
}

/// What was asked for. Empty lists mean everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The suites.
    pub suites: Vec<String>,
    /// Parts of check names.
    pub filters: Vec<String>,
}

/// One check as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCheck {
    /// Its name.
    pub id: CheckId,
    /// The statement it proves, as a sentence.
    pub statement: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How much the decision needs its answer.
    pub criticality: Criticality,
    /// What it does to the system under test.
    pub effect: Effect,
    /// The capabilities it needs.
    pub needs: Vec<String>,
    /// After how long it counts as unanswered, in milliseconds.
    pub timeout_ms: u64,
    /// About how long it waits for the system under test, in milliseconds.
    #[serde(default)]
    pub takes_ms: u64,
    /// Where it is written.
    pub source: Source,
    /// Whether it may run.
    pub admission: Admission,
}

/// Where a check is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file, relative to the workspace.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// Whether a check may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It will run.
    Admitted,
    /// It will not.
    Refused {
        /// What kind of skip that is.
        class: SkipClass,
        /// Why, for a person.
        reason: String,
    },
}

impl Plan {
    /// The planned check of this name.
    pub fn check(&self, id: &CheckId) -> Option<&PlannedCheck> {
        self.checks.iter().find(|check| &check.id == id)
    }
}

impl PlannedCheck {
    /// Whether it will run.
    pub fn is_admitted(&self) -> bool {
        self.admission == Admission::Admitted
    }
}

impl Profile {
    /// The profile's name in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Gate => "gate",
            Self::Smoke => "smoke",
            Self::Soak => "soak",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
