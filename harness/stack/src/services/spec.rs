//! The description of a service, from which it is started and restarted.

use std::collections::BTreeMap;
use std::ffi::OsString;

use rustix::process::Signal;

use super::runtime::ServiceRuntime;
use crate::readiness::Readiness;

/// Everything that is needed to start or restart a service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceSpec {
    pub(crate) name: String,
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) readiness: Readiness,
    /// The signal that requests a graceful shutdown.
    pub(crate) stop_signal: Signal,
    /// Whether it runs as a child process or as a container.
    pub(crate) runtime: ServiceRuntime,
}
