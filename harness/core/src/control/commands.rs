//! Giving an instruction to a system that somebody else runs, by the commands of its target file.

use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cutover_reports::record::{Evidence, Observation};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

use super::error::ControlError;
use super::settings::ControlSettings;
use crate::cleanup::CleanupJournal;
use crate::control_action::ControlAction;
use cutover_evidence::journal::Recorder;

/// How long a command may take.
const WITHIN: Duration = Duration::from_mins(2);

/// How much of what a command says is kept, in bytes.
const SAID: usize = 4 * 1024;

/// The commands of a target, and what is owed to it since they were used.
#[derive(Debug)]
pub(crate) struct Commands {
    settings: ControlSettings,
    journal: Arc<CleanupJournal>,
}

impl Commands {
    /// Commands that note in a journal what they change, before they do.
    pub(crate) fn new(settings: ControlSettings, journal: Arc<CleanupJournal>) -> Self {
        Self { settings, journal }
    }

    /// Gives an instruction and waits until its command has ended.
    pub(crate) async fn tell(
        &self,
        told: ControlAction,
        recorder: &Recorder,
    ) -> Result<(), ControlError> {
        if let Some(debt) = told.taken_back_by(self.settings.worker.count) {
            self.journal.owe(debt);
        }
        let output = self.run(told, recorder).await?;
        if output.status.success() {
            self.journal.settled(told);
            return Ok(());
        }
        Err(ControlError::Refused {
            instruction: told,
            program: self.settings.command(told).unwrap_or_default().join(" "),
            status: output.status,
            said: said(&output),
        })
    }

    /// Puts the system back as it was; says whether there was anything to be done.
    ///
    /// # Errors
    /// The first that could not be carried out; the others were.
    pub(crate) async fn put_back(&self, recorder: &Recorder) -> Result<bool, ControlError> {
        let owed = self.journal.owed();
        let mut outcome = Ok(!owed.is_empty());
        for debt in owed.into_iter().rev() {
            outcome = match self.tell(debt, recorder).await {
                Err(error) if outcome.is_ok() => Err(error),
                _ => outcome,
            };
        }
        outcome
    }

    async fn run(&self, told: ControlAction, recorder: &Recorder) -> Result<Output, ControlError> {
        let command = self.settings.command(told);
        let command = command.ok_or(ControlError::NoCommand { instruction: told })?;
        let [program, arguments @ ..] = &command[..] else {
            return Err(ControlError::NoCommand { instruction: told });
        };
        let running = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match timeout(WITHIN, running).await {
            Ok(output) => output.map_err(|source| ControlError::Unrunnable {
                instruction: told,
                program: program.clone(),
                source,
            })?,
            Err(_) => {
                return Err(ControlError::StillRunning {
                    instruction: told,
                    program: program.clone(),
                    within: WITHIN,
                });
            }
        };
        recorder.record(Evidence::Observed(Observation {
            surface: "control".to_owned(),
            summary: format!("told the target to {told}: {}", output.status),
            value: json!({"command": command, "said": said(&output)}),
        }));
        Ok(output)
    }
}

/// The end of what a command wrote.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    if text.is_empty() {
        return "it said nothing".to_owned();
    }
    text[text.ceil_char_boundary(text.len().saturating_sub(SAID))..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(directory: &std::path::Path, text: &str) -> Commands {
        let settings: ControlSettings = toml::from_str(text).unwrap();
        let journal = CleanupJournal::open(directory, Arc::default()).unwrap();
        Commands::new(settings, Arc::new(journal))
    }

    #[tokio::test]
    async fn what_was_changed_is_owed_until_it_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("scaled");
        let scale = format!(
            "scale = [\"sh\", \"-c\", \"echo {{count}} > {}\"]",
            file.display()
        );
        let text = format!("[worker]\ncount = 2\nstop = [\"true\"]\nstart = [\"true\"]\n{scale}\n");
        let commands = commands(directory.path(), &text);
        let silent = Recorder::silent();
        commands
            .tell(ControlAction::StopWorkers, &silent)
            .await
            .unwrap();
        commands
            .tell(ControlAction::ScaleWorkers(3), &silent)
            .await
            .unwrap();
        let count = || std::fs::read_to_string(&file).unwrap().trim().to_owned();
        assert_eq!(count(), "3");
        let owed = [ControlAction::StartWorkers, ControlAction::ScaleWorkers(2)];
        assert_eq!(commands.journal.owed(), owed);
        assert!(commands.put_back(&silent).await.unwrap());
        assert_eq!(count(), "2");
        assert!(!commands.put_back(&silent).await.unwrap());
    }

    #[tokio::test]
    async fn a_command_that_fails_says_why_and_what_is_owed_stays_owed() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[api]\nstop = [\"sh\", \"-c\", \"echo no such container >&2; exit 3\"]\nstart = [\"false\"]\n";
        let commands = commands(directory.path(), text);
        let silent = Recorder::silent();
        let error = commands
            .tell(ControlAction::StopApi, &silent)
            .await
            .unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("stop the API") && told.contains("no such container"),
            "{told}"
        );
        // It may have stopped all the same.
        assert_eq!(commands.journal.owed(), [ControlAction::StartApi]);
        assert!(commands.put_back(&silent).await.is_err());
        assert_eq!(commands.journal.owed(), [ControlAction::StartApi]);
        let error = commands
            .tell(ControlAction::StopWorkers, &silent)
            .await
            .unwrap_err();
        assert!(matches!(error, ControlError::NoCommand { .. }), "{error}");
    }
}
