//! A recorder with evidence that a test can read back.

use std::sync::Arc;

use cutover_reports::record::{Event, Evidence, HttpExchange, JournalEntry};

use cutover_evidence::journal::{Journal, Recorder};
use cutover_evidence::redact::Redactor;

/// A journal in a temporary directory.
pub(crate) struct TestJournal {
    directory: tempfile::TempDir,
    pub(crate) recorder: Recorder,
}

impl TestJournal {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal =
            Journal::create(&directory.path().join("j"), Arc::new(Redactor::default())).unwrap();
        Self {
            directory,
            recorder: Recorder::new(journal),
        }
    }

    /// The recorded evidence, in order.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        let text = std::fs::read_to_string(self.directory.path().join("j")).unwrap();
        let event = |line| serde_json::from_str::<JournalEntry>(line).unwrap().event;
        let evidence = |event| match event {
            Event::Evidence(evidence) => Some(*evidence),
            Event::Started { .. } | Event::Finding(_) | Event::Finished { .. } => None,
        };
        text.lines().map(event).filter_map(evidence).collect()
    }

    /// The only recorded exchange.
    pub(crate) fn exchange(&self) -> HttpExchange {
        match self.evidence().as_slice() {
            [Evidence::Http(exchange)] => exchange.clone(),
            other => panic!("expected one exchange, not {other:?}"),
        }
    }
}
