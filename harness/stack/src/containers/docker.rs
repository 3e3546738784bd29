//! The connection to Docker: errors, requests that must not be cancelled, and images.

use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::core::client::docker_client_instance;
use tokio::sync::RwLock;
use tokio::time::timeout;

use crate::spec::Images;

/// How long Docker may take to answer the first request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A Docker request that failed.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// Docker is not installed or not running.
    #[error(
        "reach Docker: install it (Debian, Ubuntu: 'apt-get install docker.io') and start it, \
         or use a stack of processes ('--stack processes'); {detail}"
    )]
    Unreachable {
        /// The error of the connection.
        detail: String,
    },
    /// This user has no access to Docker's socket.
    #[error(
        "use Docker: this user has no access to its socket; join the group 'docker' and log in \
         again, or use a stack of processes ('--stack processes')"
    )]
    Forbidden,
    /// An image is missing.
    #[error(
        "find the image '{image}': 'fixtures/images/build' builds those of the reference pipeline, \
         'docker pull {image}' fetches a published one, [stack.images] selects others"
    )]
    NoImage {
        /// The image.
        image: String,
    },
    /// Docker runs on another machine.
    #[error(
        "listen on {address}, the gateway of the stack's network: Docker runs on another machine \
         or in a virtual machine; use a stack of processes ('--stack processes')"
    )]
    NotLocal {
        /// The gateway address, which is not an address of this machine.
        address: IpAddr,
    },
    /// A request failed.
    #[error("{what}")]
    Request {
        /// The operation that failed.
        what: String,
        /// The cause.
        source: Box<DockerError>,
    },
    /// The log of a container cannot be opened.
    #[error("write the log '{}'", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No thread or async runtime could be started for the requests.
    #[error("start a runtime for requests to Docker")]
    Runtime(#[from] io::Error),
}

impl ContainerError {
    /// Whether a retry with other ports may succeed.
    pub(crate) fn is_port_conflict(&self) -> bool {
        let detail = self.source().map(ToString::to_string).unwrap_or_default();
        detail.contains("port is already allocated") || crate::ports::address_in_use(&detail)
    }

    fn unreachable(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = vec![error];
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push(error);
            cause = error.source();
        }
        let forbidden = chain.iter().any(|error| {
            error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        });
        if forbidden {
            return Self::Forbidden;
        }
        let messages: Vec<_> = chain.iter().map(ToString::to_string).collect();
        Self::Unreachable {
            detail: messages.join(": "),
        }
    }
}

/// Adds the failed operation to an error of Docker.
pub(super) fn context(
    what: impl fmt::Display,
) -> impl FnOnce(DockerError) -> ContainerError + Send + 'static {
    let what = what.to_string();
    |source| ContainerError::Request {
        what,
        source: Box::new(source),
    }
}

/// Whether the object does not exist, or is already being removed.
pub(super) fn is_gone(error: &DockerError) -> bool {
    matches!(status(error), Some(404 | 409))
}

/// The HTTP status of Docker's response, if there was a response.
pub(super) fn status(error: &DockerError) -> Option<u16> {
    if let DockerError::DockerResponseServerError { status_code, .. } = error {
        return Some(*status_code);
    }
    None
}

/// Runs a future to its end on a thread and runtime of its own.
///
/// A `drop` may run outside of any runtime, or inside of one that it must not block.
pub(super) fn blocking<T: Send>(
    work: impl Future<Output = Result<T, ContainerError>> + Send,
) -> Result<T, ContainerError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(work)
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked").into()))
    })
}

/// Held shared during a creation in Docker, and exclusively before everything is removed.
pub(crate) type CreationLock = Arc<RwLock<()>>;

/// Runs a creation to its end even if the caller is cancelled.
///
/// An object whose creation is still in progress cannot be removed, and would be left behind.
pub(super) async fn run_uncancelled<T: Send + 'static>(
    creation_lock: &CreationLock,
    work: impl Future<Output = Result<T, ContainerError>> + Send + 'static,
) -> Result<T, ContainerError> {
    let pending = Arc::clone(creation_lock).read_owned().await;
    let task = tokio::spawn(async move {
        let created = work.await;
        drop(pending);
        created
    });
    task.await
        .unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// Waits until no creation is in progress. Blocking.
pub(crate) fn wait_for_pending(creation_lock: &CreationLock) -> Result<(), ContainerError> {
    blocking(async {
        // The next sweep removes what takes longer.
        let _ = timeout(TIMEOUT, creation_lock.write()).await;
        Ok(())
    })
}

/// Connects to Docker and negotiates the version of its API.
pub(super) async fn connect() -> Result<Docker, ContainerError> {
    let connecting = async {
        let docker = docker_client_instance()
            .await
            .map_err(|error| ContainerError::unreachable(&error))?;
        let docker = docker.negotiate_version().await;
        docker.map_err(|error| ContainerError::unreachable(&error))
    };
    timeout(TIMEOUT, connecting).await.unwrap_or_else(|_| {
        Err(ContainerError::Unreachable {
            detail: format!("no response within {TIMEOUT:?}"),
        })
    })
}

/// Connects to Docker and checks that it has the images.
pub(crate) async fn connect_with_images(images: &Images) -> Result<Docker, ContainerError> {
    let docker = connect().await?;
    for image in [&images.postgres, &images.pipeline] {
        match docker.inspect_image(image).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => {
                return Err(ContainerError::NoImage {
                    image: image.clone(),
                });
            }
            Err(error) => return Err(context(format!("inspect the image '{image}'"))(error)),
        }
    }
    Ok(docker)
}

/// Checks that Docker is running and has the images. Blocking.
pub(crate) fn preflight(images: &Images) -> Result<(), ContainerError> {
    blocking(async { connect_with_images(images).await.map(drop) })
}
