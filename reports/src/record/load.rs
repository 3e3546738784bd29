//! Reading a run directory back: what is missing or damaged is part of the record, not an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{JOURNAL_VERSION, PLAN_VERSION, Plan, Run, Trial, Unreadable};

/// The plan's file in a run directory.
pub const PLAN_FILE: &str = "plan.json";
/// The run's own journal in a run directory.
pub const RUN_FILE: &str = "run.jsonl";
/// The directory of the trials' journals in a run directory.
pub const TRIALS_DIR: &str = "trials";

/// A run directory that is not there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is no directory.
    #[error(
        "read run directory '{0}': it does not exist; `cutover validate` prints where it writes"
    )]
    Missing(PathBuf),
    /// It cannot be listed.
    #[error("read run directory '{0}'")]
    Unlistable(PathBuf, #[source] io::Error),
}

impl Run {
    /// Reads a run directory. Damaged files are listed in [`Run::unreadable`].
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        if !dir.is_dir() {
            return Err(LoadError::Missing(dir.to_owned()));
        }
        let mut run = Self::default();
        run.plan = run.note(PLAN_FILE, read_plan(&dir.join(PLAN_FILE)));
        run.life = run
            .note(RUN_FILE, read_lines(&dir.join(RUN_FILE)))
            .unwrap_or_default();
        for file in journals(&dir.join(TRIALS_DIR))
            .map_err(|source| LoadError::Unlistable(dir.to_owned(), source))?
        {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let trial = run.note(&format!("{TRIALS_DIR}/{name}"), read_trial(&file));
            run.trials.extend(trial);
        }
        run.trials
            .sort_by(|a, b| (&a.check, a.attempt).cmp(&(&b.check, b.attempt)));
        Ok(run)
    }

    fn note<T>(&mut self, file: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|reason| {
            self.unreadable.push(Unreadable {
                file: file.to_owned(),
                reason,
            });
        })
        .ok()
    }
}

fn read_plan(path: &Path) -> Result<Plan, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    read_versioned(&text, PLAN_VERSION)
}

fn read_trial(path: &Path) -> Result<Trial, String> {
    let lines = read_lines(path)?;
    Trial::from_lines(lines)
        .ok_or_else(|| "it is not one 'started' line and at most one 'finished' line".to_owned())
}

fn read_lines<L: DeserializeOwned>(path: &Path) -> Result<Vec<L>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            read_versioned(line, JOURNAL_VERSION).map_err(|e| format!("line {}: {e}", index + 1))
        })
        .collect()
}

/// The version is read first, so that a newer format is refused by its number
/// and not by whichever key it changed.
fn read_versioned<T: DeserializeOwned>(text: &str, newest: u32) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    let Version { v } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    supported(v, newest)?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn supported(found: u32, newest: u32) -> Result<(), String> {
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
