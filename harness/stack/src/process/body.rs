//! What a process of a stack is to the machine it runs on; one variant for each kind of stack.

use std::path::Path;
use std::process::ExitStatus;

use tokio::sync::watch;

use super::child::Child;
use super::live::ProcessError;
use super::recipe::Recipe;
use crate::containers::Vessel;
use crate::mark::ProcessIdentity;
use crate::site::StackDir;

/// What a process runs as.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A child of this process.
    Child(Child),
    /// A container.
    Container(Box<Vessel>),
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// End in good order.
    Graceful,
    /// End at once.
    End,
    /// Stand still.
    Freeze,
    /// Go on.
    Thaw,
}

/// A process that has just been started.
pub(crate) struct Birth {
    pub(crate) mark: ProcessIdentity,
    pub(crate) exit: watch::Receiver<Option<ExitStatus>>,
}

impl Recipe {
    /// Starts the process, with its output at the end of the log.
    pub(super) async fn begin(&self, site: &StackDir, log: &Path) -> Result<Birth, ProcessError> {
        match &self.body {
            Body::Child(child) => child.begin(self, site, log),
            Body::Container(vessel) => Ok(vessel.begin(self, log).await?),
        }
    }

    /// Tells the process something; one that is gone is no error.
    pub(super) async fn order(
        &self,
        mark: ProcessIdentity,
        order: Order,
    ) -> Result<(), ProcessError> {
        match &self.body {
            Body::Child(child) => child.order(self, mark, order),
            Body::Container(vessel) => Ok(vessel.order(self, order).await?),
        }
    }
}
