//! What an argument of `cutover compare` names: runs, a baseline, or a target to measure.

use std::fs;
use std::path::{Path, PathBuf};

use cutover_regression::{Baselines, MEASUREMENTS_FILE, Measurements};

use crate::UsageError;

/// What an argument names.
#[derive(Debug)]
pub(super) enum Subject {
    /// Runs that were measured before.
    Runs(Vec<Measurements>),
    /// A target file.
    Target(PathBuf),
}

/// Finds out what an argument names: paths are looked at first, then the names of baselines.
pub(super) fn subject(argument: &str, baselines: &Baselines) -> anyhow::Result<Subject> {
    if Path::new(argument).is_file() {
        return Ok(Subject::Target(argument.into()));
    }
    if Path::new(argument).is_dir() {
        return Ok(Subject::Runs(runs(Path::new(argument))?));
    }
    let is_path = argument.contains(['/', ',']);
    if !is_path {
        return Ok(Subject::Runs(baselines.load(argument)?));
    }
    let mut all = Vec::new();
    for path in argument.split(',').map(Path::new) {
        if !path.is_dir() {
            return Err(not_found(path).into());
        }
        all.extend(runs(path)?);
    }
    Ok(Subject::Runs(all))
}

/// The run in a directory, or the runs in its directories.
fn runs(directory: &Path) -> anyhow::Result<Vec<Measurements>> {
    if directory.join(MEASUREMENTS_FILE).exists() {
        return Ok(vec![Measurements::read(directory)?]);
    }
    let entries = fs::read_dir(directory)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<Result<Vec<PathBuf>, std::io::Error>>()?;
    paths.sort();
    paths.retain(|path| path.join(MEASUREMENTS_FILE).exists());
    if paths.is_empty() {
        // The error says that the run measured nothing.
        return Ok(vec![Measurements::read(directory)?]);
    }
    let runs = paths.iter().map(|path| Measurements::read(path));
    Ok(runs.collect::<Result<_, _>>()?)
}

fn not_found(path: &Path) -> UsageError {
    UsageError::new(
        format!("find '{}'", path.display()),
        "it is no directory of a run",
        "name run directories, separated by commas, or a baseline, or a target file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_argument_names_is_found_or_is_an_error_that_names_it() {
        let baselines = Baselines::new("/nowhere");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let found = subject(file, &baselines).unwrap();
        assert!(matches!(found, Subject::Target(path) if path == Path::new(file)));
        for (argument, expected) in [
            ("main", "main"),
            ("/nowhere/a", "/nowhere/a"),
            ("/nowhere/a,/nowhere/b", "/nowhere/a"),
            (env!("CARGO_MANIFEST_DIR"), "measured nothing"),
            ("", "``"),
            ("../x", "../x"),
        ] {
            let error = subject(argument, &baselines).unwrap_err().to_string();
            assert!(error.contains(expected), "{argument}: {error}");
        }
    }
}
