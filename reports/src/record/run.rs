//! A run: its plan, its trials, and what happened to it as a whole.

use super::{Plan, RunLine, Trial};

/// Everything a run directory says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The plan, if it was written and can be read.
    pub plan: Option<Plan>,
    /// What happened to the run as a whole, in order.
    pub life: Vec<RunLine>,
    /// The trials, sorted by check and attempt.
    pub trials: Vec<Trial>,
    /// The files that could not be read, with the reason.
    pub unreadable: Vec<Unreadable>,
}

/// A file of the run directory that could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file, relative to the run directory.
    pub file: String,
    /// Why.
    pub reason: String,
}
