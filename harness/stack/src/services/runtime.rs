//! Dispatches the operations on a service to its child process or to its container.

use std::path::Path;

use super::child::Child;
use super::service::ServiceError;
use super::spec::ServiceSpec;
use crate::containers::Container;
use crate::launch::{ProcessSignal, Started};
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

impl ServiceSpec {
    /// Starts the service; its output is appended to the log.
    pub(super) async fn start(
        &self,
        stack_dir: &StackDir,
        log: &Path,
    ) -> Result<Started, ServiceError> {
        match &self.runtime {
            ServiceRuntime::Child(child) => child.start(&self.launch, stack_dir, log),
            ServiceRuntime::Container(container) => Ok(container.start(&self.launch, log).await?),
        }
    }

    /// Sends a signal; a service that has exited is not an error.
    pub(super) async fn signal(
        &self,
        identity: ProcessIdentity,
        signal: ProcessSignal,
    ) -> Result<(), ServiceError> {
        match &self.runtime {
            ServiceRuntime::Child(child) => child.signal(&self.launch, identity, signal),
            ServiceRuntime::Container(container) => {
                Ok(container.signal(&self.launch, signal).await?)
            }
        }
    }
}
