//! What child processes and containers have in common: how they are started, signalled and observed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{ExitStatus, Output};

use rustix::process::Signal;
use tokio::sync::watch;

use super::process_identity::ProcessIdentity;

/// The part of a service's description that its child process or container needs.
#[derive(Clone, Debug)]
pub(crate) struct LaunchSpec {
    pub(crate) name: String,
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: BTreeMap<String, String>,
    /// The signal that requests a graceful shutdown.
    pub(crate) stop_signal: Signal,
}

/// A service that was just started.
pub(crate) struct Started {
    pub(crate) identity: ProcessIdentity,
    pub(crate) exit: watch::Receiver<Option<ExitStatus>>,
}

/// A signal to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessSignal {
    /// Requests a graceful shutdown.
    Terminate,
    /// Ends the service at once.
    Kill,
    /// Suspends the service.
    Pause,
    /// Resumes a suspended service.
    Resume,
}

/// The outcome of a command with a deadline.
#[derive(Debug)]
pub enum OneShotOutcome {
    /// It exited before the deadline.
    Exited(Output),
    /// It was still running at the deadline, and was killed.
    TimedOut,
}
