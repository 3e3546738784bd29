//! Why an instruction was not carried out.

use std::process::ExitStatus;
use std::time::Duration;

use crate::control_action::ControlAction;
use cutover_stack::{ServiceError, StackError};

/// An instruction that was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// A process of our own did not do as it was told.
    #[error(transparent)]
    Process(#[from] ServiceError),
    /// The stack did not change as it was told.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The target file has no command for it.
    #[error("{instruction}: the target has no [control] command for it")]
    NoCommand {
        /// What was to be done.
        instruction: ControlAction,
    },
    /// The command could not be run.
    #[error("{instruction}: run '{program}'")]
    Unrunnable {
        /// What was to be done.
        instruction: ControlAction,
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The command did not end.
    #[error("{instruction}: '{program}' still runs after {}", humantime::format_duration(*within))]
    StillRunning {
        /// What was to be done.
        instruction: ControlAction,
        /// The program.
        program: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The command ended with a failure.
    #[error("{instruction}: '{program}' ended with {status}: {said}")]
    Refused {
        /// What was to be done.
        instruction: ControlAction,
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
}
