//! Reads what the pipeline's processes wrote, and looks for words that must not be there.

use std::io;
use std::path::PathBuf;

use cutover_reports::record::{Evidence, Observation};
use serde_json::json;

use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the log '{}'", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// The logs of the pipeline's processes.
#[derive(Clone, Debug)]
pub struct Logs {
    files: Vec<(String, PathBuf)>,
    recorder: Recorder,
}

/// What one process wrote.
#[derive(Clone, Debug)]
pub struct Log {
    /// The process.
    pub process: String,
    /// Everything it wrote, over all its lives.
    pub text: String,
}

impl Logs {
    /// The logs of these processes: the name and the file of each.
    pub fn new(files: impl IntoIterator<Item = (String, PathBuf)>, recorder: Recorder) -> Self {
        Self {
            files: files.into_iter().collect(),
            recorder,
        }
    }

    /// Everything that was written up to now. Only its length is recorded.
    pub async fn read(&self) -> Result<Vec<Log>, LogError> {
        let mut logs = Vec::new();
        for (process, path) in &self.files {
            let bytes = tokio::fs::read(path).await.map_err(|source| LogError {
                path: path.clone(),
                source,
            })?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.recorder.record(Evidence::Observed(Observation {
                surface: "logs".to_owned(),
                summary: format!("{process} has written {} lines", text.lines().count()),
                value: json!({ "process": process, "bytes": bytes.len() }),
            }));
            logs.push(Log {
                process: process.clone(),
                text,
            });
        }
        Ok(logs)
    }
}

impl Log {
    /// Whether a secret stands there, as it is or encoded.
    pub fn reveals(&self, secret: &Secret) -> bool {
        let redactor = Redactor::default();
        redactor.learn(secret);
        redactor.redact(self.text.clone()) != self.text
    }

    /// The first line that holds a text.
    pub fn line_with(&self, text: &str) -> Option<&str> {
        self.text.lines().find(|line| line.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Log {
        Log {
            process: "api".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_secret_is_found_in_disguise() {
        let secret = Secret::new("correct horse battery");
        assert!(log("key=correct horse battery").reveals(&secret));
        assert!(log("key=correct%20horse%20battery").reveals(&secret));
        assert!(log(&hex::encode("correct horse battery")).reveals(&secret));
        assert!(!log("key=[masked]").reveals(&secret));
    }

    #[test]
    fn a_line_is_found_by_what_it_holds() {
        let log = log("one\ntwo words\nthree");
        assert_eq!(log.line_with("words"), Some("two words"));
        assert_eq!(log.line_with("four"), None);
    }
}
