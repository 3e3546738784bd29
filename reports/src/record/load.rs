//! Loading a run directory. A missing or damaged file is part of the record, not an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{JOURNAL_VERSION, PLAN_VERSION, Plan, Run, Trial, UnreadableFile};

/// The file of the plan in a run directory.
pub const PLAN_FILE: &str = "plan.json";
/// The file of the run's own journal in a run directory.
pub const RUN_FILE: &str = "run.jsonl";
/// The directory of the trials' journals in a run directory.
pub const TRIALS_DIR: &str = "trials";

/// A run directory that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such directory.
    #[error("read run directory '{}': it does not exist", .0.display())]
    Missing(PathBuf),
    /// The directory has none of the files of a run.
    #[error("read run directory '{}': it contains neither '{PLAN_FILE}' nor '{RUN_FILE}'", .0.display())]
    NotARun(PathBuf),
    /// Its trials cannot be listed.
    #[error("read run directory '{}'", .0.display())]
    Unlistable(PathBuf, #[source] io::Error),
}

impl LoadError {
    /// The remedy.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::NotARun(_) => {
                "name the directory of one run; `cutover validate` writes it to \
                 target/cutover/<run> and prints its path"
            }
            Self::Unlistable(..) => "check the permissions of the directory",
        }
    }
}

impl Run {
    /// Loads a run directory. [`Run::unreadable`] lists the damaged files.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        if !dir.is_dir() {
            return Err(LoadError::Missing(dir.to_owned()));
        }
        if !dir.join(PLAN_FILE).exists() && !dir.join(RUN_FILE).exists() {
            return Err(LoadError::NotARun(dir.to_owned()));
        }
        let mut run = Self::default();
        run.plan = run.keep_readable(PLAN_FILE, read_plan(&dir.join(PLAN_FILE)));
        run.journal = run
            .keep_readable(RUN_FILE, read_entries(&dir.join(RUN_FILE)))
            .unwrap_or_default();
        for file in journals(&dir.join(TRIALS_DIR))
            .map_err(|source| LoadError::Unlistable(dir.to_owned(), source))?
        {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let trial = run.keep_readable(&format!("{TRIALS_DIR}/{name}"), Trial::read(&file));
            run.trials.extend(trial);
        }
        run.trials
            .sort_by(|a, b| (&a.check, a.attempt).cmp(&(&b.check, b.attempt)));
        Ok(run)
    }

    /// The content of a file; an error is added to the list of unreadable files.
    fn keep_readable<T>(&mut self, file: &str, content: Result<T, String>) -> Option<T> {
        content
            .map_err(|reason| {
                self.unreadable.push(UnreadableFile {
                    file: file.to_owned(),
                    reason,
                });
            })
            .ok()
    }
}

fn read_plan(path: &Path) -> Result<Plan, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    parse_versioned(&text, PLAN_VERSION)
}

impl Trial {
    /// Reads the journal of a trial.
    ///
    /// # Errors
    /// In words, where the file cannot be read or is not a journal.
    pub fn read(path: &Path) -> Result<Self, String> {
        let entries = read_entries(path)?;
        Self::from_entries(entries).ok_or_else(|| {
            "expected one 'started' line at the beginning and at most one 'finished' line"
                .to_owned()
        })
    }
}

fn read_entries<E: DeserializeOwned>(path: &Path) -> Result<Vec<E>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            parse_versioned(line, JOURNAL_VERSION).map_err(|e| format!("line {}: {e}", index + 1))
        })
        .collect()
}

/// Parses the version first, so that the error for a newer format names its
/// version and not the first unknown key.
fn parse_versioned<T: DeserializeOwned>(text: &str, newest: u32) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    let Version { v } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    require_supported(v, newest)?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn require_supported(found: u32, newest: u32) -> Result<(), String> {
    if (1..=newest).contains(&found) {
        Ok(())
    } else {
        Err(format!(
            "format version {found} is not supported; this cutover reads 1 to {newest}"
        ))
    }
}

fn journals(dir: &Path) -> io::Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    files.sort();
    Ok(files)
}
