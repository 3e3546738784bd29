//! The description of a service, from which it is started and restarted.

use super::runtime::ServiceRuntime;
use crate::launch::LaunchSpec;
use crate::readiness::Readiness;

/// Everything that is needed to start or restart a service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceSpec {
    pub(crate) launch: LaunchSpec,
    pub(crate) readiness: Readiness,
    /// Whether it runs as a child process or as a container.
    pub(crate) runtime: ServiceRuntime,
}
