//! The report of one shard of a load, as `cutover load --json` prints it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_load::{Report, Shard, ShardReport};
use serde::{Deserialize, Serialize};

use crate::UsageError;

const HELP: &str = "name files with the output of `cutover load --shard I/N --json`";

/// What a report says about the load that it is a part of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// The number of the shard.
    pub(super) index: u64,
    /// The number of shards.
    pub(super) of: u64,
    /// When the load started, in seconds from the Unix epoch.
    pub(super) started_s: f64,
    /// What determines the load.
    pub(super) settings: BTreeMap<String, String>,
}

/// The parts of a report that are joined.
#[derive(Deserialize)]
struct ShardFile {
    schema: u64,
    duration_s: f64,
    invalid: Option<String>,
    part: Part,
    report: Report,
}

/// The files of these paths: a directory stands for its files that end with `.json`.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, UsageError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|cause| unreadable(path, cause))?;
        let entries = entries.map(|entry| Ok(entry?.path()));
        let entries: Result<Vec<PathBuf>, std::io::Error> = entries.collect();
        let entries = entries.map_err(|cause| unreadable(path, cause))?;
        let json = entries.into_iter();
        files.extend(json.filter(|path| path.extension().is_some_and(|is| is == "json")));
    }
    files.sort();
    Ok(files)
}

/// Reads the report of a shard.
pub(super) fn read(path: &Path) -> Result<ShardReport, UsageError> {
    let text = fs::read(path).map_err(|cause| unreadable(path, cause))?;
    let file: ShardFile = serde_json::from_slice(&text).map_err(|cause| unreadable(path, cause))?;
    if file.schema != 1 {
        let cause = format!("its `schema` is {}, and this program reads 1", file.schema);
        return Err(unreadable(path, cause));
    }
    let Part { index, of, .. } = file.part;
    let shard = Shard::new(index, of).map_err(|cause| unreadable(path, cause))?;
    let seconds = |key: &str, value: f64| {
        let cause = |_| unreadable(path, format!("its `{key}` is {value}"));
        Duration::try_from_secs_f64(value).map_err(cause)
    };
    Ok(ShardReport {
        name: path.display().to_string(),
        shard,
        settings: file.part.settings,
        started: seconds("started_s", file.part.started_s)?,
        duration: seconds("duration_s", file.duration_s)?,
        invalid: file.invalid,
        report: file.report,
    })
}

fn unreadable(
    path: &Path,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> UsageError {
    UsageError::new(format!("read the report '{}'", path.display()), cause, HELP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_report_of_a_shard_is_an_error_that_names_it() {
        for (index, text) in ["", "{}", r#"{"schema": 1, "duration_s": 1}"#]
            .iter()
            .enumerate()
        {
            let name = format!("cutover-shard-{}-{index}.json", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            fs::remove_file(&path).unwrap();
            assert!(error.to_string().contains("cutover-shard"), "{error}");
        }
        assert!(read(Path::new("/nowhere")).is_err());
    }
}
