//! A run: its plan, its trials and its own journal.

use super::{Plan, Profile, RunJournalEntry, Trial};

/// The contents of a run directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The plan, if its file is present and readable.
    pub plan: Option<Plan>,
    /// The events of the run as a whole, in order.
    pub journal: Vec<RunJournalEntry>,
    /// The trials, sorted by check and attempt.
    pub trials: Vec<Trial>,
    /// The files that could not be read.
    pub unreadable: Vec<UnreadableFile>,
}

impl Run {
    /// The profile, if the plan is readable.
    pub fn profile(&self) -> Option<Profile> {
        self.plan.as_ref().map(|plan| plan.profile)
    }
}

/// A file of the run directory that could not be read completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableFile {
    /// The file, relative to the run directory.
    pub file: String,
    /// The error.
    pub reason: String,
}
