//! Reads the logs of the pipeline's processes, and searches them for secrets.

use cutover_reports::record::{Evidence, Observation};
use serde_json::json;

use super::log_source::{LogError, LogSource};
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// The logs of the pipeline's processes.
#[derive(Clone, Debug)]
pub struct Logs {
    sources: Vec<LogSource>,
    recorder: Recorder,
}

/// The log of one process.
#[derive(Clone, Debug)]
pub struct Log {
    /// The name of the process.
    pub process: String,
    /// Its complete log, including the time before restarts.
    pub text: String,
}

impl Logs {
    /// The logs from these sources.
    pub fn new(sources: impl IntoIterator<Item = LogSource>, recorder: Recorder) -> Self {
        Self {
            sources: sources.into_iter().collect(),
            recorder,
        }
    }

    /// Reads all logs up to now. The evidence contains only their length.
    pub async fn read(&self) -> Result<Vec<Log>, LogError> {
        let mut logs = Vec::new();
        for source in &self.sources {
            let (process, bytes) = (&source.process, source.read().await?);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.recorder.record(Evidence::Observed(Observation {
                surface: "logs".to_owned(),
                summary: format!("the log of {process} has {} lines", text.lines().count()),
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
    /// Whether the log contains a secret, in plain text or encoded.
    pub fn reveals(&self, secret: &Secret) -> bool {
        let redactor = Redactor::default();
        redactor.learn(secret);
        redactor.redact(self.text.clone()) != self.text
    }

    /// The first of these texts that the log contains, in plain text or encoded. Fast if it contains none.
    pub fn revealed<'a, T>(&self, texts: &'a [(T, Secret)]) -> Option<&'a T> {
        let redactor = Redactor::default();
        for (_, text) in texts {
            redactor.learn(text);
        }
        if !redactor.reveals(&self.text) {
            return None;
        }
        let found = texts.iter().find(|(_, text)| self.reveals(text));
        found.map(|(name, _)| name)
    }

    /// The same log from this byte on, or nothing where it is shorter.
    #[must_use]
    pub fn from_byte(self, start: usize) -> Self {
        let start = self.text.ceil_char_boundary(start.min(self.text.len()));
        Self {
            text: self.text[start..].to_owned(),
            ..self
        }
    }

    /// The first line that contains a text.
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
    fn an_encoded_secret_is_found() {
        let secret = Secret::new("correct horse battery");
        assert!(log("key=correct horse battery").reveals(&secret));
        assert!(log("key=correct%20horse%20battery").reveals(&secret));
        assert!(log(&hex::encode("correct horse battery")).reveals(&secret));
        assert!(!log("key=[masked]").reveals(&secret));
    }

    #[test]
    fn the_revealed_text_is_named() {
        let texts = [
            ("one", Secret::new("correct horse")),
            ("two", Secret::new("battery staple")),
        ];
        assert_eq!(log("x battery staple y").revealed(&texts), Some(&"two"));
        assert_eq!(log("nothing").revealed(&texts), None);
        assert_eq!(
            log("correct horse, battery staple")
                .from_byte(7)
                .revealed(&texts),
            Some(&"two")
        );
        assert_eq!(log("short").from_byte(100).text, "");
    }

    #[test]
    fn a_line_is_found_by_its_content() {
        let log = log("one\ntwo words\nthree");
        assert_eq!(log.line_with("words"), Some("two words"));
        assert_eq!(log.line_with("four"), None);
    }
}
