//! How a trial ends.

use serde::{Deserialize, Serialize};

/// How a trial ends. *Wrong* (failed) and *could not tell* (errored) are never mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The statement held.
    Passed,
    /// The statement was refuted; the findings of the trial explain how.
    Failed,
    /// The trial has no result: the check had an error, a time-out or a panic.
    Errored {
        /// The error, with its causes.
        cause: String,
    },
    /// The trial has no result on purpose.
    Skipped {
        /// The kind of skip.
        class: SkipClass,
        /// The reason, in words.
        reason: String,
    },
}

/// The kind of a skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipClass {
    /// The check is not in the profile or not in the selection.
    Filtered,
    /// The statement does not apply to the target's contract.
    NotApplicable,
    /// The target lacks something that the check requires.
    PreconditionMissing,
    /// A check on which it relies has failed twice, so it was not tried.
    Blocked,
}

impl Outcome {
    /// The name of the outcome in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored { .. } => "errored",
            Self::Skipped { .. } => "skipped",
        }
    }
}
