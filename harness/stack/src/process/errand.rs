//! A command that runs to its end beside the processes of a stack.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use super::child::bare_command;
use super::live::{ProcessError, SHOWN};
use crate::ledger::{Ending, Entry};
use crate::log;
use crate::mark::ProcessIdentity;
use crate::site::{StackDir, StackDirError};

/// What became of a command that was given a deadline.
#[derive(Debug)]
pub enum OneShotOutcome {
    /// It ended.
    Exited(Output),
    /// It was still running at the deadline, and was killed.
    TimedOut,
}

/// A command that runs to its end beside the stack's processes.
pub(crate) struct Errand<'a> {
    pub(crate) name: &'a str,
    pub(crate) program: &'a Path,
    pub(crate) args: &'a [OsString],
    pub(crate) environment: &'a BTreeMap<String, String>,
}

impl Errand<'_> {
    /// Runs the command and collects what it says.
    pub(crate) async fn run(
        &self,
        site: &StackDir,
        within: Duration,
    ) -> Result<OneShotOutcome, ProcessError> {
        let spawn_failed = |source| ProcessError::Spawn {
            process: self.name.to_owned(),
            program: self.program.to_owned(),
            source,
        };
        let child = bare_command(self.program, site)
            .args(self.args)
            .envs(self.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(spawn_failed)?;
        let entry = Entry {
            name: self.name.to_owned(),
            mark: ProcessIdentity::of(child.id().unwrap_or_default()),
            ending: Ending::Kill,
        };
        site.ledger().enter(entry).map_err(StackDirError::from)?;
        match timeout(within, child.wait_with_output()).await {
            Ok(output) => Ok(OneShotOutcome::Exited(output.map_err(spawn_failed)?)),
            Err(_) => Ok(OneShotOutcome::TimedOut),
        }
    }
}

/// What an errand must have come to that everything else builds on.
pub(crate) fn require_success(
    name: &str,
    attempt: OneShotOutcome,
    within: Duration,
) -> Result<(), ProcessError> {
    match attempt {
        OneShotOutcome::Exited(output) if output.status.success() => Ok(()),
        OneShotOutcome::Exited(output) => Err(ProcessError::Died {
            process: name.to_owned(),
            status: output.status,
            tail: log::last_lines(
                &(String::from_utf8_lossy(&output.stdout)
                    + String::from_utf8_lossy(&output.stderr)),
                SHOWN,
            ),
        }),
        OneShotOutcome::TimedOut => Err(ProcessError::StillRunning {
            process: name.to_owned(),
            waited: within,
        }),
    }
}
