//! The sources of logs: files and commands, read from a moment on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// The timeout of a command that prints a log.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("read the log of {process} from '{}'", path.display())]
    Unreadable {
        /// The process.
        process: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The command cannot be started.
    #[error("read the log of {process}: run '{program}'")]
    NotStarted {
        /// The process.
        process: String,
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The command failed.
    #[error("read the log of {process}: '{program}' {reason}")]
    Failed {
        /// The process.
        process: String,
        /// The program.
        program: String,
        /// The reason.
        reason: String,
    },
}

/// The log of one process, and where it is read.
#[derive(Clone, Debug)]
pub struct LogSource {
    /// The name of the process.
    pub process: String,
    origin: LogOrigin,
    /// The number of bytes at the start that are left out.
    skip: usize,
}

/// Where a log is read.
#[derive(Clone, Debug)]
enum LogOrigin {
    File(PathBuf),
    Command(Vec<String>),
}

impl LogSource {
    /// The whole log in a file.
    pub fn file(process: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            process: process.to_owned(),
            origin: LogOrigin::File(path.into()),
            skip: 0,
        }
    }

    /// The file, if the log is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            LogOrigin::File(path) => Some(path),
            LogOrigin::Command(_) => None,
        }
    }

    /// The log that a command prints, on either of its outputs. Its first word is the program.
    pub fn command(process: &str, words: Vec<String>) -> Self {
        Self {
            process: process.to_owned(),
            origin: LogOrigin::Command(words),
            skip: 0,
        }
    }

    /// The same log without what it contains now. A file that does not exist yet is empty.
    #[must_use]
    pub fn from_now(self) -> Self {
        let skip = match &self.origin {
            LogOrigin::File(path) => fs::metadata(path).map_or(0, |file| file.len()),
            LogOrigin::Command(_) => 0,
        };
        Self {
            skip: usize::try_from(skip).unwrap_or(usize::MAX),
            ..self
        }
    }

    /// Reads it up to now.
    ///
    /// # Errors
    /// Where the file cannot be read, or the command cannot be run or fails.
    pub async fn read(&self) -> Result<Vec<u8>, LogError> {
        let mut bytes = match &self.origin {
            LogOrigin::File(path) => {
                tokio::fs::read(path)
                    .await
                    .map_err(|source| LogError::Unreadable {
                        process: self.process.clone(),
                        path: path.clone(),
                        source,
                    })?
            }
            LogOrigin::Command(words) => self.printed_by(words).await?,
        };
        // A shorter log is a new one: it was rotated.
        let skip = if bytes.len() < self.skip {
            0
        } else {
            self.skip
        };
        Ok(bytes.split_off(skip))
    }

    async fn printed_by(&self, words: &[String]) -> Result<Vec<u8>, LogError> {
        let (program, arguments) = words.split_first().unwrap_or((&self.process, &[]));
        let failed = |reason| LogError::Failed {
            process: self.process.clone(),
            program: program.clone(),
            reason,
        };
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(COMMAND_TIMEOUT, output)
            .await
            .map_err(|_| {
                let limit = humantime::format_duration(COMMAND_TIMEOUT);
                failed(format!("has not ended after {limit}"))
            })?
            .map_err(|source| LogError::NotStarted {
                process: self.process.clone(),
                program: program.clone(),
                source,
            })?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.lines().next_back().unwrap_or_default().to_owned();
            return Err(failed(format!("ended with {}: {last}", output.status)));
        }
        // `docker logs` prints what the process wrote to its error output there, too.
        Ok([output.stdout, output.stderr].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> LogSource {
        let words = ["sh", "-c", script].map(str::to_owned);
        LogSource::command("api", words.to_vec())
    }

    #[tokio::test]
    async fn a_file_is_read_from_the_given_moment_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.log");
        let early = LogSource::file("api", &path).from_now();
        fs::write(&path, "before\n").unwrap();
        assert_eq!(early.read().await.unwrap(), b"before\n");
        let late = LogSource::file("api", &path).from_now();
        assert_eq!(late.read().await.unwrap(), b"");
        fs::write(&path, "before\nafter\n").unwrap();
        assert_eq!(late.read().await.unwrap(), b"after\n");
        assert_eq!(
            LogSource::file("api", &path).read().await.unwrap().len(),
            13
        );
        fs::write(&path, "new\n").unwrap();
        assert_eq!(late.read().await.unwrap(), b"new\n", "after a rotation");
    }

    #[tokio::test]
    async fn both_outputs_of_a_command_are_read() {
        let read = shell("echo one; echo two >&2").read().await.unwrap();
        assert_eq!(read, b"one\ntwo\n");
    }

    #[tokio::test]
    async fn a_source_that_cannot_be_read_is_an_error() {
        let missing = LogSource::file("api", "/does/not/exist").read().await;
        assert!(matches!(missing, Err(LogError::Unreadable { .. })));
        let missing = LogSource::command("api", vec!["/does/not/exist".to_owned()]);
        assert!(matches!(
            missing.read().await,
            Err(LogError::NotStarted { .. })
        ));
        let error = shell("echo no such container >&2; exit 1").read().await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("api: 'sh' ended with") && error.ends_with("no such container"),
            "{error}"
        );
    }
}
