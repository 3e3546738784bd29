//! Runs the control commands of an attached target, and journals what must be undone.

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

/// The timeout of a command.
const TIMEOUT: Duration = Duration::from_mins(2);

/// How much of the output of a command is kept, in bytes.
const OUTPUT_TAIL: usize = 4 * 1024;

/// The control commands of a target, with the journal of what they changed.
#[derive(Debug)]
pub(crate) struct Commands {
    settings: ControlSettings,
    journal: Arc<CleanupJournal>,
}

impl Commands {
    /// Commands that journal a change before they make it.
    pub(crate) fn new(settings: ControlSettings, journal: Arc<CleanupJournal>) -> Self {
        Self { settings, journal }
    }

    /// Applies an action and waits until its command has ended.
    pub(crate) async fn apply(
        &self,
        action: ControlAction,
        recorder: &Recorder,
    ) -> Result<(), ControlError> {
        if let Some(inverse) = action.inverse(self.settings.worker_count()) {
            self.journal.push_undo(inverse);
        }
        let output = self.run(action, recorder).await?;
        if output.status.success() {
            self.journal.undone(action);
            return Ok(());
        }
        Err(ControlError::Failed {
            action,
            program: self.settings.command(action).unwrap_or_default().join(" "),
            status: output.status,
            output_tail: output_tail(&output),
        })
    }

    /// Undoes every pending change, newest first. Returns whether there was one.
    ///
    /// # Errors
    /// The first action that failed. The others are tried nevertheless.
    pub(crate) async fn restore(&self, recorder: &Recorder) -> Result<bool, ControlError> {
        let pending = self.journal.pending_undo();
        let mut outcome = Ok(!pending.is_empty());
        for action in pending.into_iter().rev() {
            outcome = match self.apply(action, recorder).await {
                Err(error) if outcome.is_ok() => Err(error),
                _ => outcome,
            };
        }
        outcome
    }

    async fn run(
        &self,
        action: ControlAction,
        recorder: &Recorder,
    ) -> Result<Output, ControlError> {
        let command = self.settings.command(action);
        let command = command.ok_or(ControlError::NoCommand { action })?;
        let [program, arguments @ ..] = &command[..] else {
            return Err(ControlError::NoCommand { action });
        };
        let running = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match timeout(TIMEOUT, running).await {
            Ok(output) => output.map_err(|source| ControlError::NotStarted {
                action,
                program: program.clone(),
                source,
            })?,
            Err(_) => {
                return Err(ControlError::TimedOut {
                    action,
                    program: program.clone(),
                    within: TIMEOUT,
                });
            }
        };
        recorder.record(Evidence::Observed(Observation {
            surface: "control".to_owned(),
            summary: format!("command of the target: {action}: {}", output.status),
            value: json!({"command": command, "output": output_tail(&output)}),
        }));
        Ok(output)
    }
}

/// The end of a command's output.
fn output_tail(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    if text.is_empty() {
        return "no output".to_owned();
    }
    text[text.ceil_char_boundary(text.len().saturating_sub(OUTPUT_TAIL))..].to_owned()
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
    async fn a_change_is_pending_until_it_is_undone() {
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
            .apply(ControlAction::StopWorkers, &silent)
            .await
            .unwrap();
        commands
            .apply(ControlAction::ScaleWorkers(3), &silent)
            .await
            .unwrap();
        let count = || std::fs::read_to_string(&file).unwrap().trim().to_owned();
        assert_eq!(count(), "3");
        let pending = [ControlAction::StartWorkers, ControlAction::ScaleWorkers(2)];
        assert_eq!(commands.journal.pending_undo(), pending);
        assert!(commands.restore(&silent).await.unwrap());
        assert_eq!(count(), "2");
        assert!(!commands.restore(&silent).await.unwrap());
    }

    #[tokio::test]
    async fn a_failed_command_reports_its_output_and_its_undo_stays_pending() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[api]\nstop = [\"sh\", \"-c\", \"echo no such container >&2; exit 3\"]\nstart = [\"false\"]\n";
        let commands = commands(directory.path(), text);
        let silent = Recorder::silent();
        let error = commands
            .apply(ControlAction::StopApi, &silent)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("stop the API") && message.contains("no such container"),
            "{message}"
        );
        // A failed command may have stopped the API nevertheless.
        assert_eq!(commands.journal.pending_undo(), [ControlAction::StartApi]);
        assert!(commands.restore(&silent).await.is_err());
        assert_eq!(commands.journal.pending_undo(), [ControlAction::StartApi]);
        let error = commands
            .apply(ControlAction::StopWorkers, &silent)
            .await
            .unwrap_err();
        assert!(matches!(error, ControlError::NoCommand { .. }), "{error}");
    }
}
