//! Why a stack's directory could not be created or removed.

use std::io;
use std::path::PathBuf;

use crate::containers::ContainerError;
use crate::state::StateError;

/// A stack's directory that could not be created or removed.
#[derive(Debug, thiserror::Error)]
pub enum StackDirError {
    /// The directory could not be created.
    #[error("create the stack's directory '{}'", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The directory could not be removed.
    #[error("remove the stack's directory '{}'", path.display())]
    Remove {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Processes of the stack are still running after they were killed.
    #[error("stop the processes of '{}': still running: {names}", path.display())]
    StillRunning {
        /// The stack's directory.
        path: PathBuf,
        /// Their names and PIDs.
        names: String,
    },
    /// The stack's containers, networks or volumes could not be removed.
    #[error(transparent)]
    Containers(#[from] ContainerError),
    /// The state file could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}
