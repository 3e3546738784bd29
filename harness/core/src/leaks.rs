//! Leaks: looks whether a secret has reached the disk in spite of everything, and withholds what holds one.
//!
//! Every line is masked before it is written. That this works is not taken on trust: a canary goes
//! the same way as all evidence, and at the end of a run every file is searched for every secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use cutover_evidence::journal::{Journal, JournalError};
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// The file that the canary is in.
const CANARY_FILE: &str = "canary.jsonl";

/// What stands in the place of evidence that held a secret.
const WITHHELD: &str = "{\"withheld\":\"a secret was found here\"}\n";

/// Writes a secret that is of no use the way that all evidence goes: masked, or this run is not to be shown.
pub(crate) fn plant_canary(directory: &Path, redactor: &Arc<Redactor>) -> Result<(), JournalError> {
    let canary = Secret::random();
    redactor.learn(&canary);
    let mut journal = Journal::open(&directory.join(CANARY_FILE), Arc::clone(redactor))?;
    journal.append(&json!({
        "plain": canary.expose(),
        "header": format!("Bearer {}", canary.expose()),
        "within": json!({ "text": canary.expose() }).to_string(),
    }))
}

/// Empties every file under a directory that holds a known secret; gives their names.
pub(crate) fn quarantine(directory: &Path, redactor: &Redactor) -> io::Result<Vec<String>> {
    let mut withheld = Vec::new();
    for path in files_under(directory)? {
        let text = fs::read(&path)?;
        if redactor.reveals(&String::from_utf8_lossy(&text)) {
            fs::write(&path, WITHHELD)?;
            let name = path.strip_prefix(directory).unwrap_or(&path);
            withheld.push(name.display().to_string());
        }
    }
    Ok(withheld)
}

fn files_under(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_under(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_is_masked_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        let redactor = Arc::new(Redactor::default());
        plant_canary(directory.path(), &redactor).unwrap();
        assert!(quarantine(directory.path(), &redactor).unwrap().is_empty());
    }

    #[test]
    fn a_secret_that_reached_the_disk_is_withheld_and_its_file_named() {
        let directory = tempfile::tempdir().unwrap();
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("a-secret-that-leaked"));
        let trials = directory.path().join("trials");
        fs::create_dir(&trials).unwrap();
        fs::write(
            trials.join("a.jsonl"),
            "{\"url\":\"x?a-secret-that-leaked\"}",
        )
        .unwrap();
        fs::write(trials.join("b.jsonl"), "{}").unwrap();
        let withheld = quarantine(directory.path(), &redactor).unwrap();
        assert_eq!(withheld, ["trials/a.jsonl"]);
        assert_eq!(
            fs::read_to_string(trials.join("a.jsonl")).unwrap(),
            WITHHELD
        );
    }
}
