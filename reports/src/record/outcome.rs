//! How a trial ended.

use serde::{Deserialize, Serialize};

/// How a trial ended. *Wrong* and *could not tell* are never mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The statement held.
    Passed,
    /// The statement was refuted; the trial's findings say how.
    Failed,
    /// The check could not tell: its own error, a time-out, a panic.
    Errored {
        /// What went wrong, with its causes.
        cause: String,
    },
    /// The check did not run to an answer, on purpose.
    Skipped {
        /// What kind of skip it was.
        class: SkipClass,
        /// Why, for a person.
        reason: String,
    },
}

/// Why a check was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipClass {
    /// The developer asked for other checks.
    Filtered,
    /// The contract says that the statement does not apply to this target.
    NotApplicable,
    /// The target does not give what the check needs.
    PreconditionMissing,
}

impl Outcome {
    /// The outcome's name, as written in every report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored { .. } => "errored",
            Self::Skipped { .. } => "skipped",
        }
    }
}
