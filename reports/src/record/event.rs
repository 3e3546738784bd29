//! Journal lines: one JSON object per line, versioned, appended as things happen.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{CheckId, Evidence, Finding, Outcome};

/// The version of the journal's line format that this build writes and reads.
pub const JOURNAL_VERSION: u32 = 1;

/// One line of a trial's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The format's version.
    pub v: u32,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What happened.
    pub event: Event,
}

/// What happened in a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The trial began.
    Started {
        /// The check.
        check: CheckId,
        /// Which attempt it is, from 1.
        attempt: u32,
    },
    /// Something was observed.
    Evidence(Box<Evidence>),
    /// The system under test was found wrong.
    Finding(Finding),
    /// The trial ended.
    Finished {
        /// How.
        outcome: Outcome,
        /// After how long, in milliseconds.
        duration_ms: f64,
    },
}

/// One line of a run's own journal, `run.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// The format's version.
    pub v: u32,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What happened.
    pub event: RunEvent,
}

/// What happened to a run as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEvent {
    /// The stack is up and the system under test said who it is.
    Identified {
        /// What it said: its version answer, or null where it has none.
        identity: serde_json::Value,
    },
    /// Something that no single check answers for: the stack died, cleanup failed.
    Incident {
        /// What happened.
        what: String,
    },
    /// A secret was found in the evidence, which was withheld: the run is not to be trusted with any.
    Leaked {
        /// The file that held it, within the run's directory.
        file: String,
    },
    /// What passed through a link between the system and something that it needs.
    Carried {
        /// What the link leads to.
        link: String,
        /// Connections that the system has opened.
        connections: u64,
        /// Bytes from the system.
        sent_bytes: u64,
        /// Bytes to the system.
        received_bytes: u64,
    },
    /// A person or a deadline stopped the run.
    Interrupted {
        /// By what.
        by: String,
    },
    /// The run came to its end.
    Finished {
        /// After how long, in milliseconds.
        duration_ms: f64,
    },
}
