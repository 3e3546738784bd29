//! Journal entries: one versioned JSON object per line, appended as events happen.

use cutover_regression::Machine;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::measured::{ComparisonResult, KnownMeasurement};
use super::{CheckId, Evidence, Finding, Outcome};

/// The version of the journal format that this build reads and writes.
pub const JOURNAL_VERSION: u32 = 1;

/// One line of a trial's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The format version.
    pub v: u32,
    /// The time of the event.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The event.
    pub event: Event,
}

/// An event of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The trial started.
    Started {
        /// The check.
        check: CheckId,
        /// The number of the attempt, from 1.
        attempt: u32,
    },
    /// An observation was made.
    Evidence(Box<Evidence>),
    /// The system under test is wrong.
    Finding(Finding),
    /// The trial ended.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// Its duration in milliseconds.
        duration_ms: f64,
        /// The number of observations that the check made; later ones are of its cleanup.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        observations: Option<usize>,
    },
}

/// One line of a run's own journal, `run.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunJournalEntry {
    /// The format version.
    pub v: u32,
    /// The time of the event.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The event.
    pub event: RunEvent,
}

/// An event of the run as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEvent {
    /// The stack is up and the system under test was identified.
    Identified {
        /// The response of its version route; null where it has none.
        identity: serde_json::Value,
    },
    /// The machine that runs the checks, as what it measures depends on it.
    Machine(Machine),
    /// The load generator measured servers whose behaviour is known, before it measured the system under test.
    GeneratorTested {
        /// What it measured.
        results: Vec<KnownMeasurement>,
    },
    /// What the checks measured was compared with a baseline.
    Compared {
        /// The name of the baseline.
        baseline: String,
        /// The number of its runs.
        runs: usize,
        /// The result.
        result: ComparisonResult,
        /// Why it is no pass.
        reasons: Vec<String>,
    },
    /// A failure outside of any check: the stack died, or cleanup failed.
    Incident {
        /// What happened.
        what: String,
    },
    /// A file of evidence contained a secret and was withheld.
    Leaked {
        /// The file, relative to the run directory.
        file: String,
    },
    /// The traffic on a link between the system under test and a dependency.
    #[serde(rename = "carried")]
    LinkTraffic {
        /// The dependency at the end of the link.
        link: String,
        /// The number of connections that the system opened.
        connections: u64,
        /// Bytes sent by the system.
        sent_bytes: u64,
        /// Bytes received by the system.
        received_bytes: u64,
    },
    /// A person or a deadline stopped the run.
    Interrupted {
        /// The cause.
        by: String,
    },
    /// The run finished.
    Finished {
        /// Its duration in milliseconds.
        duration_ms: f64,
    },
}
