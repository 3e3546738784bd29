//! The append-only journal of a trial: one redacted JSON line per event, written immediately.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cutover_reports::record::{
    Event, Evidence, Finding, JOURNAL_VERSION, JournalEntry, RunEvent, RunJournalEntry,
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::redact::Redactor;

/// The journal could not be written. A trial without a complete journal is errored,
/// whatever the result of its check.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be created.
    #[error("create journal '{}'", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line could not be written.
    #[error("write journal '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line could not be serialized as JSON.
    #[error("encode a line of journal '{}'", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

/// An append-only file of JSON lines.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    redactor: Arc<Redactor>,
}

impl Journal {
    /// Creates a journal; the file must not exist.
    pub fn create(path: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        Self::at(
            path,
            OpenOptions::new().append(true).create_new(true),
            redactor,
        )
    }

    /// Opens a journal that several processes share, and creates it if it does not exist.
    pub fn open(path: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        Self::at(path, OpenOptions::new().append(true).create(true), redactor)
    }

    fn at(
        path: &Path,
        options: &OpenOptions,
        redactor: Arc<Redactor>,
    ) -> Result<Self, JournalError> {
        let directory = path.parent().map_or(Ok(()), fs::create_dir_all);
        match directory.and_then(|()| options.open(path)) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
                redactor,
            }),
            Err(source) => Err(JournalError::Create {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Appends a line of any type.
    pub fn append(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        let text = serde_json::to_string(line).map_err(|source| JournalError::Encode {
            path: self.path.clone(),
            source,
        })?;
        let mut text = self.redactor.redact(text);
        text.push('\n');
        // One write per line: lines of several processes do not interleave, and a kill
        // truncates at most the last line.
        self.file
            .write_all(text.as_bytes())
            .map_err(|source| JournalError::Write {
                path: self.path.clone(),
                source,
            })
    }

    /// Appends an event of a run.
    pub fn note(&mut self, event: RunEvent) -> Result<(), JournalError> {
        self.append(&RunJournalEntry {
            v: JOURNAL_VERSION,
            at: OffsetDateTime::now_utc(),
            event,
        })
    }

    fn write(&mut self, event: Event) -> Result<(), JournalError> {
        self.append(&JournalEntry {
            v: JOURNAL_VERSION,
            at: OffsetDateTime::now_utc(),
            event,
        })
    }
}

/// A shared handle to the journal of a trial.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Option<Arc<Mutex<Recording>>>);

#[derive(Debug)]
struct Recording {
    journal: Journal,
    failure: Option<JournalError>,
    /// The number of observations.
    observations: usize,
    latest: LatestObservation,
}

/// What the latest observation of a trial was, as far as it tells where to look for its cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LatestObservation {
    /// The wait for a condition.
    Wait,
    /// A request that was answered with a 5xx status, by its request id.
    ServerError(String),
    /// Anything else, or nothing.
    #[default]
    Other,
}

impl From<&Evidence> for LatestObservation {
    fn from(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Wait(wait) if !wait.was_stopped() => Self::Wait,
            Evidence::Http(exchange) if exchange.status.is_some_and(|status| status >= 500) => {
                Self::ServerError(exchange.correlation_id.clone())
            }
            Evidence::Http(_) | Evidence::Sql(_) | Evidence::Wait(_) | Evidence::Observed(_) => {
                Self::Other
            }
        }
    }
}

impl Recorder {
    /// Records into a journal.
    pub fn new(journal: Journal) -> Self {
        Self(Some(Arc::new(Mutex::new(Recording {
            journal,
            failure: None,
            observations: 0,
            latest: LatestObservation::Other,
        }))))
    }

    /// Records into a new file.
    pub fn to_file(path: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        Journal::create(path, redactor).map(Self::new)
    }

    /// Discards everything, for actions outside of trials, such as the start of a stack.
    pub fn silent() -> Self {
        Self(None)
    }

    /// Records an observation.
    ///
    /// A write error is kept, and the trial is errored when it ends.
    pub fn record(&self, evidence: Evidence) {
        self.with(|recording| {
            recording.observations += 1;
            // A stopped wait follows the observation that stopped it.
            if !matches!(&evidence, Evidence::Wait(wait) if wait.was_stopped()) {
                recording.latest = LatestObservation::from(&evidence);
            }
            recording.write(Event::Evidence(Box::new(evidence)));
        });
    }

    /// Records a finding. Unless it names another one, the latest observation is the one that deviates.
    pub fn record_finding(&self, mut finding: Finding) {
        self.with(|recording| {
            let latest = recording.observations.checked_sub(1);
            finding.observation = finding.observation.or(latest);
            recording.write(Event::Finding(finding));
        });
    }

    /// The number of observations so far.
    pub fn observations(&self) -> usize {
        self.with(|recording| recording.observations)
            .unwrap_or_default()
    }

    /// The file of the journal; nothing where nothing is recorded.
    pub fn path(&self) -> Option<PathBuf> {
        self.with(|recording| recording.journal.path.clone())
    }

    /// What the latest observation was.
    pub fn latest(&self) -> LatestObservation {
        self.with(|recording| recording.latest.clone())
            .unwrap_or_default()
    }

    /// Writes an event of the trial.
    pub fn write(&self, event: Event) {
        self.with(|recording| recording.write(event));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Recording) -> T) -> Option<T> {
        let recording = self.0.as_ref()?;
        let mut recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut recording))
    }

    /// Returns the first write error, if any.
    pub fn take_failure(&self) -> Option<JournalError> {
        self.with(|recording| recording.failure.take()).flatten()
    }
}

impl Recording {
    fn write(&mut self, event: Event) {
        if self.failure.is_none() {
            self.failure = self.journal.write(event).err();
        }
    }
}
