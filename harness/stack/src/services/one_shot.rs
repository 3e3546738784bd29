//! A one-shot command of the pipeline (e.g. `migrate`), as opposed to a service.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use super::child::isolated_command;
use super::service::{ERROR_LOG_LINES, ServiceError};
use crate::launch::OneShotOutcome;
use crate::log;
use crate::process_identity::ProcessIdentity;
use crate::spec::CommandLine;
use crate::stack_dir::{StackDir, StackDirError};
use crate::state::{KillSignal, ProcessEntry};
use crate::system::Environment;

/// A command that runs to its end while the services of the stack run.
pub(crate) struct OneShot<'a> {
    pub(crate) name: &'a str,
    /// The arguments after those of the pipeline's command line.
    pub(crate) args: &'a [&'a str],
    pub(crate) environment: &'a Environment,
    pub(crate) timeout: Duration,
}

impl OneShot<'_> {
    /// Runs the command as a child process and collects its output.
    pub(crate) async fn run(
        &self,
        pipeline: &CommandLine,
        stack_dir: &StackDir,
    ) -> Result<OneShotOutcome, ServiceError> {
        let spawn_failed = |source| ServiceError::Spawn {
            service: self.name.to_owned(),
            program: pipeline.program.clone(),
            source,
        };
        let child = isolated_command(&pipeline.program, stack_dir)
            .args(pipeline.with(self.args))
            .envs(self.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(spawn_failed)?;
        let entry = ProcessEntry {
            name: self.name.to_owned(),
            identity: ProcessIdentity::from_pid(child.id().unwrap_or_default()),
            kill_signal: KillSignal::Kill,
        };
        let registered = stack_dir.state().register(entry);
        registered.map_err(StackDirError::from)?;
        match timeout(self.timeout, child.wait_with_output()).await {
            Ok(output) => Ok(OneShotOutcome::Exited(output.map_err(spawn_failed)?)),
            Err(_) => Ok(OneShotOutcome::TimedOut),
        }
    }

    /// Turns every outcome but success into an error.
    pub(crate) fn require_success(&self, outcome: OneShotOutcome) -> Result<(), ServiceError> {
        match outcome {
            OneShotOutcome::Exited(output) if output.status.success() => Ok(()),
            OneShotOutcome::Exited(output) => Err(ServiceError::Died {
                service: self.name.to_owned(),
                status: output.status,
                tail: log::last_lines(
                    &(String::from_utf8_lossy(&output.stdout)
                        + String::from_utf8_lossy(&output.stderr)),
                    ERROR_LOG_LINES,
                ),
            }),
            OneShotOutcome::TimedOut => Err(ServiceError::StillRunning {
                service: self.name.to_owned(),
                waited: self.timeout,
            }),
        }
    }
}
