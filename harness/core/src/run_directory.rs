//! The run directory: where everything that a run saw is written as it happens.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cutover_reports::record::{CheckId, PLAN_FILE, Plan, RUN_FILE, RunEvent, TRIALS_DIR};
use time::OffsetDateTime;
use time::macros::format_description;

use cutover_evidence::journal::{Journal, JournalError, Recorder};
use cutover_evidence::redact::Redactor;

/// The environment variable that fixes a run's id.
const RUN_ID: &str = "CUTOVER_RUN_ID";
/// The one that cargo-nextest gives to all its processes.
const NEXTEST_RUN_ID: &str = "NEXTEST_RUN_ID";

/// A run directory that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// A file or directory cannot be made.
    #[error("write run directory: '{}'; free space or choose another with --output", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A journal cannot be made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run's id is not a file name.
    #[error(
        "use run id '{0}': it may contain letters, digits, '-', '_' and '.' only; unset or mend {RUN_ID}"
    )]
    BadId(String),
}

/// Where everything that a run saw is written.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    redactor: Arc<Redactor>,
    life: Mutex<Journal>,
}

/// The id of this run: from the environment where a front end gives one, else fresh.
pub fn run_id() -> Result<String, RunDirectoryError> {
    let given = [RUN_ID, NEXTEST_RUN_ID]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let Some(id) = given else {
        return Ok(fresh_id(OffsetDateTime::now_utc()));
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.starts_with('.') || !id.chars().all(legal) {
        return Err(RunDirectoryError::BadId(id));
    }
    Ok(id)
}

/// A fresh id: the time, so that ids sort, and chance, so that they differ.
pub fn fresh_id(now: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = now
        .format(format)
        .unwrap_or_else(|_| now.unix_timestamp().to_string());
    format!("{time}-{}", hex::encode(rand::random::<[u8; 3]>()))
}

impl RunDirectory {
    /// Makes `<output>/<run>/` and writes the plan there, unless another process
    /// of the same run already has.
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
        let life = Journal::open(&path.join(RUN_FILE), Arc::clone(&redactor))?;
        point_latest(output, &plan.run)?;
        Ok(Self {
            path,
            redactor,
            life: Mutex::new(life),
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new journal for the next attempt at a check.
    pub fn trial(&self, check: &CheckId) -> Result<(Recorder, u32), JournalError> {
        let mut attempt = 1;
        loop {
            let name = format!("{}.{attempt}.jsonl", check.file_stem());
            let path = self.path.join(TRIALS_DIR).join(name);
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

    /// Notes what happened to the run as a whole.
    pub fn note(&self, event: RunEvent) -> Result<(), JournalError> {
        self.life
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(event)
    }
}

fn pretty(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).unwrap_or_default()
}

/// Writes a file whole or not at all; leaves one that is there alone.
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

/// Lets `<output>/latest` point at the run, atomically.
fn point_latest(output: &Path, run: &str) -> Result<(), RunDirectoryError> {
    let link = output.join("latest");
    let fresh = output.join(format!(
        ".latest-{}",
        hex::encode(rand::random::<[u8; 6]>())
    ));
    symlink(run, &fresh)
        .and_then(|()| fs::rename(&fresh, &link))
        .map_err(|source| RunDirectoryError::Unwritable { path: link, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_sort_by_time_and_differ() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let (first, second) = (fresh_id(now), fresh_id(now));
        assert!(first.starts_with("19700101T000000Z-"), "{first}");
        assert_ne!(first, second);
    }

    #[test]
    fn what_is_written_once_stays() {
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
