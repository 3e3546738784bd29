//! The words for how far a job is and where it stands in the queue, and which go together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words for a job's progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// The statuses of a job that goes well, in order.
    pub statuses: Vec<String>,
    /// The status of a registered job whose bytes may still be missing.
    pub registered: String,
    /// The status of a job that waits for the parser's callback.
    pub awaiting_callback: String,
    /// The first status that says that the parsed text is stored.
    pub parsed: String,
    /// The status of a job that has arrived.
    pub complete: String,
    /// The status of a job for a document that is there already.
    pub duplicate: String,
    /// What the refusal of a duplicate calls itself.
    pub duplicate_error: String,
    /// The statuses of failed jobs, by the stage that failed.
    pub failures: Failures,
    /// The states.
    pub states: Vec<String>,
    /// The states of a job that goes on by itself.
    pub active_states: Vec<String>,
    /// The states that a job does not leave by itself.
    pub final_states: Vec<String>,
    /// The states in which a user may ask for another attempt.
    pub retryable_states: Vec<String>,
    /// The state of a job that its user had tried again.
    pub retried_state: String,
    /// Which states a status allows.
    pub legal: LegalStates,
    /// The kinds of events.
    pub events: Vec<String>,
}

/// The statuses of failed jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Getting or parsing the document failed.
    pub parse: String,
    /// Cutting the text failed.
    pub chunking: String,
    /// Making or storing vectors failed.
    pub embedding: String,
}

/// Which states go with a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalStates {
    /// On the way.
    pub underway: Vec<String>,
    /// Arrived.
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

    /// Every status there is.
    pub fn all_statuses(&self) -> impl Iterator<Item = &str> {
        let chain = self.statuses.iter().map(String::as_str);
        chain
            .chain(self.failures())
            .chain([self.duplicate.as_str()])
    }

    /// The place of a status in the chain of a job that goes well.
    pub fn rank(&self, status: &str) -> Option<usize> {
        self.statuses.iter().position(|known| known == status)
    }

    /// Whether the status says that the job failed.
    pub fn is_failure(&self, status: &str) -> bool {
        self.failures().contains(&status)
    }

    /// Whether a job stays as it is; a target without states is judged by its statuses.
    pub fn is_final(&self, status: &str, state: Option<&str>) -> bool {
        match state {
            Some(state) => self.final_states.iter().any(|known| known == state),
            None => status == self.complete || status == self.duplicate || self.is_failure(status),
        }
    }

    /// The states that go with a status; none with an unknown one.
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

    /// Whether the two may stand together.
    pub fn allows(&self, status: &str, state: &str) -> bool {
        self.states_of(status).iter().any(|known| known == state)
    }

    /// The statuses of the chain from this one on.
    pub fn from(&self, status: &str) -> &[String] {
        let start = self.rank(status).unwrap_or(self.statuses.len());
        &self.statuses[start..]
    }

    /// Words that are used but not declared, with the key that uses them.
    pub(super) fn undeclared(&self) -> Option<(&'static str, &str)> {
        let in_chain = [
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
        let statuses = in_chain
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
