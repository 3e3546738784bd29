//! Dispatches the operations on a service to its child process or to its container.

use std::path::Path;
use std::process::ExitStatus;

use tokio::sync::watch;

use super::child::Child;
use super::service::ServiceError;
use super::spec::ServiceSpec;
use crate::containers::Container;
use crate::process_identity::ProcessIdentity;
use crate::stack_dir::StackDir;

/// What a service runs as.
#[derive(Clone, Debug)]
pub(crate) enum ServiceRuntime {
    /// A child of this process.
    Child(Child),
    /// A container.
    Container(Box<Container>),
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

/// A service that was just started.
pub(crate) struct Started {
    pub(crate) identity: ProcessIdentity,
    pub(crate) exit: watch::Receiver<Option<ExitStatus>>,
}

impl ServiceSpec {
    /// Starts the service; its output is appended to the log.
    pub(super) async fn start(
        &self,
        stack_dir: &StackDir,
        log: &Path,
    ) -> Result<Started, ServiceError> {
        match &self.runtime {
            ServiceRuntime::Child(child) => child.start(self, stack_dir, log),
            ServiceRuntime::Container(container) => Ok(container.start(self, log).await?),
        }
    }

    /// Sends a signal; a service that has exited is not an error.
    pub(super) async fn signal(
        &self,
        identity: ProcessIdentity,
        signal: ProcessSignal,
    ) -> Result<(), ServiceError> {
        match &self.runtime {
            ServiceRuntime::Child(child) => child.signal(self, identity, signal),
            ServiceRuntime::Container(container) => Ok(container.signal(self, signal).await?),
        }
    }
}
