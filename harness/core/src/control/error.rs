//! Why a control action failed.

use std::process::ExitStatus;
use std::time::Duration;

use crate::control_action::ControlAction;

/// A control action that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// The target file has no command for the action.
    #[error("{action}: the target file has no command for it; add '{}'", action.spec().key)]
    NoCommand {
        /// The action.
        action: ControlAction,
    },
    /// The command cannot be started.
    #[error("{action}: run '{program}'")]
    NotStarted {
        /// The action.
        action: ControlAction,
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The command did not end in time.
    #[error("{action}: '{program}' still runs after {}", humantime::format_duration(*within))]
    TimedOut {
        /// The action.
        action: ControlAction,
        /// The program.
        program: String,
        /// The timeout.
        within: Duration,
    },
    /// The command failed.
    #[error("{action}: '{program}' failed with {status}: {output_tail}")]
    Failed {
        /// The action.
        action: ControlAction,
        /// The program.
        program: String,
        /// How the command ended.
        status: ExitStatus,
        /// The end of its output.
        output_tail: String,
    },
}
