//! The history of a scenario: every operation of its clients, when it began and what became of it.
//!
//! It is part of the journal of the trial. [`History::read`] takes it from there, so that what is
//! judged is what is on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cutover_harness::prelude::*;
use serde::{Deserialize, Serialize};

/// The surface of the entries in the journal.
const SURFACE: &str = "history";

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Registers a document.
    Register,
    /// Uploads its bytes.
    Upload,
    /// Reads a job.
    Read,
    /// Reads a document.
    Document,
    /// Lists the jobs.
    List,
    /// Searches.
    Search,
    /// Retries a job.
    Retry,
    /// Deletes a document.
    Delete,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// An operation began.
    Invoked {
        /// The operation.
        action: Action,
    },
    /// It succeeded.
    Ok,
    /// It was refused: it has no effect.
    Failed {
        /// The status of the answer.
        status: u16,
    },
    /// It got no answer: whether it has an effect is unknown.
    Unknown {
        /// Why.
        cause: String,
    },
    /// A document was seen in a final state.
    Seen {
        /// Whether it is complete.
        complete: bool,
    },
    /// The fault was injected.
    Injected,
    /// The fault was healed.
    Healed,
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since the history began.
    pub at_ms: f64,
    /// The operation.
    pub operation: u64,
    /// The document that it is about.
    pub document: Option<usize>,
    /// What happened.
    pub event: Happened,
}

/// An operation of a client: its number, and the document that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    number: u64,
    document: Option<usize>,
}

/// The history of a scenario, as it is written.
pub struct History<'a> {
    cx: &'a Context,
    began: Instant,
    operations: AtomicU64,
}

impl<'a> History<'a> {
    /// An empty history in the journal of a trial.
    pub fn new(cx: &'a Context) -> Self {
        Self {
            cx,
            began: Instant::now(),
            operations: AtomicU64::new(0),
        }
    }

    /// Records the beginning of an operation.
    pub fn invoked(&self, action: Action, document: Option<usize>) -> Operation {
        let operation = self.next(document);
        self.record(operation, Happened::Invoked { action });
        operation
    }

    /// Records what belongs to no operation.
    pub fn noted(&self, document: Option<usize>, event: Happened) {
        self.record(self.next(document), event);
    }

    fn next(&self, document: Option<usize>) -> Operation {
        let number = self.operations.fetch_add(1, Ordering::Relaxed);
        Operation { number, document }
    }

    /// Milliseconds since the history began.
    pub(super) fn now_ms(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1e3
    }

    /// Records what happened to an operation.
    pub fn record(&self, operation: Operation, event: Happened) {
        let Operation { number, document } = operation;
        let entry = Entry {
            at_ms: self.now_ms(),
            operation: number,
            document,
            event,
        };
        let summary = format!("operation {number}");
        let value = serde_json::to_value(&entry).unwrap_or_default();
        self.cx.observe(SURFACE, summary, value);
    }

    /// The entries so far, from the journal on disk.
    pub fn read(&self) -> CheckResult<Vec<Entry>> {
        let trial = self.cx.recorded()?;
        let observed = trial.iter().flat_map(|trial| trial.observations(SURFACE));
        Ok(observed
            .map(|observation| Entry::deserialize(&observation.value))
            .collect::<Result<_, _>>()?)
    }
}
