//! The names of job statuses and queue states, and their allowed combinations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The names of job statuses, queue states and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// The statuses of a successful job, in order.
    pub statuses: Vec<String>,
    /// The status of a registered job before its upload is confirmed.
    pub registered: String,
    /// The status of a job that waits for the parser's callback.
    pub awaiting_callback: String,
    /// The first status with a stored parsed text.
    pub parsed: String,
    /// The status of a complete job.
    pub complete: String,
    /// The status of a job for a duplicate document.
    pub duplicate: String,
    /// The error type in the response to a duplicate.
    pub duplicate_error: String,
    /// The statuses of failed jobs, by failed stage.
    pub failures: Failures,
    /// All queue states.
    pub states: Vec<String>,
    /// The states of a job that continues without a user.
    pub active_states: Vec<String>,
    /// The states that a job does not leave without a user.
    pub final_states: Vec<String>,
    /// The states in which a user may request a retry.
    pub retryable_states: Vec<String>,
    /// The state of a job after a user's retry.
    pub retried_state: String,
    /// The allowed states of each status.
    pub legal: LegalStates,
    /// All event types.
    pub events: Vec<String>,
    /// Whether a job has no status (`null`) before its first one.
    pub unset_status: bool,
    /// The statuses of documents, if they differ from those of jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<DocumentWords>,
}

/// The statuses of documents, where they differ from those of jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentWords {
    /// The status of a complete document.
    pub complete: String,
    /// The statuses of failed documents.
    pub failed: Vec<String>,
    /// The statuses of documents in progress.
    pub active: Vec<String>,
}

/// The statuses of failed jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Download or parsing failed.
    pub parse: String,
    /// Chunking failed.
    pub chunking: String,
    /// The creation or storage of embeddings failed.
    pub embedding: String,
}

/// The allowed states of each kind of status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalStates {
    /// In progress.
    pub underway: Vec<String>,
    /// Complete.
    pub complete: Vec<String>,
    /// Failed.
    pub failed: Vec<String>,
    /// A duplicate.
    pub duplicate: Vec<String>,
}

impl Vocabulary {
    /// The statuses of failed jobs.
    pub fn failures(&self) -> [&str; 3] {
        [
            &self.failures.parse,
            &self.failures.chunking,
            &self.failures.embedding,
        ]
        .map(String::as_str)
    }

    /// All statuses.
    pub fn all_statuses(&self) -> impl Iterator<Item = &str> {
        let sequence = self.statuses.iter().map(String::as_str);
        sequence
            .chain(self.failures())
            .chain([self.duplicate.as_str()])
    }

    /// The position of a status in the sequence of a successful job.
    pub fn rank(&self, status: &str) -> Option<usize> {
        self.statuses.iter().position(|known| known == status)
    }

    /// Whether the status means that the job failed.
    pub fn is_failure(&self, status: &str) -> bool {
        self.failures().contains(&status)
    }

    /// Whether a job is in a final state; without a state, the status decides.
    pub fn is_final(&self, status: &str, state: Option<&str>) -> bool {
        match state {
            Some(state) => self.final_states.iter().any(|known| known == state),
            None => status == self.complete || status == self.duplicate || self.is_failure(status),
        }
    }

    /// Whether work on a job goes on without a user; without a state, the status decides.
    pub fn is_active(&self, status: &str, state: Option<&str>) -> bool {
        match state {
            Some(state) => self.active_states.iter().any(|known| known == state),
            None => !self.is_final(status, None),
        }
    }

    /// The allowed states of a status; empty for an unknown status.
    pub fn states_of(&self, status: &str) -> &[String] {
        if status == self.complete {
            &self.legal.complete
        } else if status == self.duplicate {
            &self.legal.duplicate
        } else if self.is_failure(status) {
            &self.legal.failed
        } else if self.rank(status).is_some() {
            &self.legal.underway
        } else {
            &[]
        }
    }

    /// Whether a status allows a state.
    pub fn allows(&self, status: &str, state: &str) -> bool {
        self.states_of(status).iter().any(|known| known == state)
    }

    /// The statuses of a successful job from this one on.
    pub fn from(&self, status: &str) -> &[String] {
        let start = self.rank(status).unwrap_or(self.statuses.len());
        &self.statuses[start..]
    }

    /// The status of a complete document, in the words of documents.
    pub fn complete_document(&self) -> &str {
        let words = self.documents.as_ref();
        words.map_or(&self.complete, |words| &words.complete)
    }

    /// The status of a job that a document's status stands for, and whether it names the stage.
    ///
    /// A status of the job's own words stands for itself. `None` for an unknown status.
    pub(super) fn job_status_of<'a>(&'a self, document: &'a str) -> Option<(&'a str, bool)> {
        let Some(words) = &self.documents else {
            return Some((document, true));
        };
        let is_in = |words: &[String]| words.iter().any(|word| word == document);
        if document == words.complete {
            Some((&self.complete, true))
        } else if is_in(&words.failed) {
            Some((&self.failures.parse, false))
        } else if is_in(&words.active) {
            Some((&self.registered, false))
        } else {
            None
        }
    }

    /// The first status or state that is used but not listed, with its key.
    pub(super) fn undeclared(&self) -> Option<(&'static str, &str)> {
        let in_sequence = [
            ("vocabulary.registered", &self.registered),
            ("vocabulary.awaiting_callback", &self.awaiting_callback),
            ("vocabulary.parsed", &self.parsed),
            ("vocabulary.complete", &self.complete),
        ];
        let lists = [
            ("vocabulary.active_states", &self.active_states),
            ("vocabulary.final_states", &self.final_states),
            ("vocabulary.retryable_states", &self.retryable_states),
            ("vocabulary.legal.underway", &self.legal.underway),
            ("vocabulary.legal.complete", &self.legal.complete),
            ("vocabulary.legal.failed", &self.legal.failed),
            ("vocabulary.legal.duplicate", &self.legal.duplicate),
        ];
        let statuses = in_sequence
            .into_iter()
            .filter(|(_, status)| self.rank(status).is_none());
        let states = lists
            .into_iter()
            .flat_map(|(key, list)| list.iter().map(move |state| (key, state)))
            .chain([("vocabulary.retried_state", &self.retried_state)])
            .filter(|(_, state)| !self.states.contains(state));
        statuses
            .chain(states)
            .map(|(key, word)| (key, word.as_str()))
            .next()
    }
}
