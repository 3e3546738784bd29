//! The run directory: the record of a run, written as events happen.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cutover_reports::record::{CheckId, PLAN_FILE, Plan, RUN_FILE, RunEvent, TRIALS_DIR, Trial};
use time::OffsetDateTime;
use time::macros::format_description;

use cutover_evidence::journal::{Journal, JournalError, Recorder};
use cutover_evidence::redact::Redactor;

/// The environment variable that fixes a run's id.
const RUN_ID: &str = "CUTOVER_RUN_ID";
/// The environment variable with the run id of cargo-nextest.
const NEXTEST_RUN_ID: &str = "NEXTEST_RUN_ID";

/// A run directory that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// A file or directory cannot be created.
    #[error("write run directory: '{}'; free space or choose another with --output", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A journal cannot be created.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run id is not a valid file name.
    #[error(
        "use run id '{0}': only letters, digits, '-', '_' and '.' are allowed, and the first may not be '.'; unset or correct {RUN_ID}"
    )]
    BadId(String),
}

/// The directory that records a run.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    redactor: Arc<Redactor>,
    journal: Mutex<Journal>,
}

/// The id of this run: from the environment if it is set there, else a new one.
pub fn run_id() -> Result<String, RunDirectoryError> {
    let given = [RUN_ID, NEXTEST_RUN_ID]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let Some(id) = given else {
        return Ok(new_run_id(OffsetDateTime::now_utc()));
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.starts_with('.') || !id.chars().all(legal) {
        return Err(RunDirectoryError::BadId(id));
    }
    Ok(id)
}

/// A new id: the time, so that ids sort, and a random suffix, so that they differ.
pub fn new_run_id(now: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = now
        .format(format)
        .unwrap_or_else(|_| now.unix_timestamp().to_string());
    format!("{time}-{}", hex::encode(rand::random::<[u8; 3]>()))
}

impl RunDirectory {
    /// Creates `<output>/<run>/` and writes the plan there, unless another process
    /// of the same run has written it.
    pub fn open(
        output: &Path,
        plan: &Plan,
        redactor: Arc<Redactor>,
    ) -> Result<Self, RunDirectoryError> {
        let path = output.join(&plan.run);
        fs::create_dir_all(path.join(TRIALS_DIR)).map_err(|source| {
            RunDirectoryError::Unwritable {
                path: path.clone(),
                source,
            }
        })?;
        write_once(&path.join(PLAN_FILE), &redactor.redact(pretty(plan)))?;
        let journal = Journal::open(&path.join(RUN_FILE), Arc::clone(&redactor))?;
        point_latest(output, &plan.run)?;
        Ok(Self {
            path,
            redactor,
            journal: Mutex::new(journal),
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the journal of the next attempt at a check.
    pub fn trial(&self, check: &CheckId) -> Result<(Recorder, u32), JournalError> {
        let mut attempt = 1;
        loop {
            let path = self.journal_path(check, attempt);
            match Journal::create(&path, Arc::clone(&self.redactor)) {
                Ok(journal) => return Ok((Recorder::new(journal), attempt)),
                Err(JournalError::Create { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// An attempt at a check, if its journal is readable.
    pub fn read_trial(&self, check: &CheckId, attempt: u32) -> Option<Trial> {
        Trial::read(&self.journal_path(check, attempt)).ok()
    }

    fn journal_path(&self, check: &CheckId, attempt: u32) -> PathBuf {
        let name = format!("{}.{attempt}.jsonl", check.file_stem());
        self.path.join(TRIALS_DIR).join(name)
    }

    /// Records an event of the run as a whole.
    pub fn note(&self, event: RunEvent) -> Result<(), JournalError> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(event)
    }
}

fn pretty(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).unwrap_or_default()
}

/// Writes a file atomically, unless it exists.
fn write_once(path: &Path, text: &str) -> Result<(), RunDirectoryError> {
    let write = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => Ok(()),
        }
    };
    write().map_err(|source| RunDirectoryError::Unwritable {
        path: path.to_owned(),
        source,
    })
}

/// Points `<output>/latest` at the run, atomically.
fn point_latest(output: &Path, run: &str) -> Result<(), RunDirectoryError> {
    let link = output.join("latest");
    let temporary = output.join(format!(
        ".latest-{}",
        hex::encode(rand::random::<[u8; 6]>())
    ));
    symlink(run, &temporary)
        .and_then(|()| fs::rename(&temporary, &link))
        .map_err(|source| RunDirectoryError::Unwritable { path: link, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_sort_by_time_and_differ() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let (first, second) = (new_run_id(now), new_run_id(now));
        assert!(first.starts_with("19700101T000000Z-"), "{first}");
        assert_ne!(first, second);
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.json");
        write_once(&path, "first").unwrap();
        write_once(&path, "second").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "first");
    }

    #[test]
    fn latest_points_at_the_newest_run() {
        let dir = tempfile::tempdir().unwrap();
        point_latest(dir.path(), "one").unwrap();
        point_latest(dir.path(), "two").unwrap();
        assert_eq!(
            fs::read_link(dir.path().join("latest")).unwrap(),
            Path::new("two")
        );
    }
}
