//! The leak scan: finds secrets that reached a run directory, and quarantines the files that contain them.
//!
//! Every line is masked before it is written. The scan verifies that: a canary secret is written
//! like all evidence, and at the end of a run every file is searched for every secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use cutover_evidence::journal::{Journal, JournalError};
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// The file that contains the canary.
const CANARY_FILE: &str = "canary.jsonl";

/// The content that replaces a file with a secret.
const WITHHELD: &str = "{\"withheld\":\"a secret was found here\"}\n";

/// Writes a canary: a random secret in the forms in which evidence contains secrets.
/// If it is not masked, the scan finds it.
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

/// Replaces every file under a directory that contains a known secret. Returns their names.
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
    fn a_masked_canary_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        let redactor = Arc::new(Redactor::default());
        plant_canary(directory.path(), &redactor).unwrap();
        assert!(quarantine(directory.path(), &redactor).unwrap().is_empty());
    }

    #[test]
    fn a_file_with_a_secret_is_named_and_its_content_withheld() {
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
