//! Why a stack could not be started, changed or stopped.

use cutover_fault::LinkError;

use super::containers::ContainerError;
use super::credentials::MissingSecret;
use super::ports::{NoPort, address_in_use};
use super::postgres::{FindError, TemplateError, UserAccountError};
use super::services::ServiceError;
use super::stack_dir::StackDirError;
use super::system::SystemError;

/// A stack that could not be started, changed or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// PostgreSQL was not found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// There is no Unix user to run PostgreSQL as.
    #[error(transparent)]
    Account(#[from] UserAccountError),
    /// The cluster could not be created.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A service could not be started or stopped.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Docker is not available, lacks an image, or failed a request.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The stack's directory could not be created or removed.
    #[error(transparent)]
    StackDir(#[from] StackDirError),
    /// There is no free port.
    #[error(transparent)]
    Port(#[from] NoPort),
    /// The services of the stack could not be configured.
    #[error("configure the services of the stack")]
    System(#[source] SystemError),
    /// An address is not a valid URL.
    #[error("make a URL from an address of the stack")]
    Url(#[from] url::ParseError),
    /// A link could not be opened.
    #[error("open the links of the stack")]
    Links(#[from] LinkError),
    /// The stack has no address of its database.
    #[error(transparent)]
    Secret(#[from] MissingSecret),
    /// A blocking step was interrupted.
    #[error("finish a step of the stack")]
    Interrupted(#[from] tokio::task::JoinError),
    /// The stand-ins are ready, but their endpoints are not in their log.
    #[error("read the endpoints of the stand-ins from their log")]
    NoEndpoints,
}

impl StackError {
    /// Whether a retry with other ports may succeed.
    pub(crate) fn is_port_conflict(&self) -> bool {
        if let Self::Service(ServiceError::Died { tail, .. }) = self {
            return address_in_use(tail);
        }
        matches!(
            self,
            Self::Container(error) | Self::Service(ServiceError::Container(error))
                if error.is_port_conflict()
        )
    }
}
