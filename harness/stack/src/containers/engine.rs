//! Docker as this machine has it, and the network of one stack.

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{NetworkCreateRequest, NetworkInspect, VolumeCreateRequest};
use testcontainers::bollard::query_parameters::InspectNetworkOptions;
use testcontainers::core::client::docker_client_instance;
use tokio::sync::RwLock;
use tokio::time::timeout;

use crate::mark::World;
use crate::site::StackDir;
use crate::spec::Images;

/// What everything of a stack is labelled with: the stack's id.
pub(super) const STACK: &str = "cutover.stack";

/// The label that says where the stack has its directory.
pub(super) const ROOT: &str = "cutover.root";

/// The label that says where the pids of the stack mean something.
pub(super) const WORLD: &str = "cutover.world";

/// How long Docker may take to answer at all.
const ANSWER: Duration = Duration::from_secs(10);

/// Docker does not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// There is no Docker, or it does not run.
    #[error(
        "reach Docker: install it (Debian, Ubuntu: 'apt-get install docker.io') and start it, \
         or use a stack of processes ('--stack processes'); it said: {said}"
    )]
    Unreachable {
        /// What the attempt came to.
        said: String,
    },
    /// Its socket is closed to this user.
    #[error(
        "use Docker: its socket is closed to this user; join the group 'docker' and log in again, \
         or use a stack of processes ('--stack processes')"
    )]
    Forbidden,
    /// An image is not there.
    #[error(
        "find the image '{image}': 'just images' builds those of the reference pipeline, \
         'docker pull {image}' fetches one that is published, [stack.images] names others"
    )]
    NoImage {
        /// The image.
        image: String,
    },
    /// Docker runs on another machine.
    #[error(
        "listen on {address}, the stack's network: Docker runs on another machine or in a virtual \
         one; use a stack of processes ('--stack processes')"
    )]
    Elsewhere {
        /// The address of the network that should be this machine's.
        address: IpAddr,
    },
    /// A request failed.
    #[error("{what}")]
    Request {
        /// What was to be done.
        what: String,
        /// Why it was not.
        source: Box<DockerError>,
    },
    /// The log of a container cannot be opened.
    #[error("write the log '{}'", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no thread or runtime to ask Docker from.
    #[error("start a runtime that talks to Docker")]
    Runtime(#[from] io::Error),
}

impl ContainerError {
    /// Whether another port may help.
    pub(crate) fn is_about_ports(&self) -> bool {
        let said = self.source().map(ToString::to_string).unwrap_or_default();
        said.contains("port is already allocated") || crate::ports::address_in_use(&said)
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
        let said: Vec<_> = chain.iter().map(ToString::to_string).collect();
        Self::Unreachable {
            said: said.join(": "),
        }
    }
}

/// Says what was to be done when it fails.
pub(super) fn doing(
    what: impl fmt::Display,
) -> impl FnOnce(DockerError) -> ContainerError + Send + 'static {
    let what = what.to_string();
    |source| ContainerError::Request {
        what,
        source: Box::new(source),
    }
}

/// Whether Docker says that there is no such thing, or that it is being removed.
pub(super) fn is_gone(error: &DockerError) -> bool {
    matches!(status(error), Some(404 | 409))
}

/// The status that Docker answered with, if it answered.
pub(super) fn status(error: &DockerError) -> Option<u16> {
    if let DockerError::DockerResponseServerError { status_code, .. } = error {
        return Some(*status_code);
    }
    None
}

/// Runs something to its end from anywhere: a drop has no runtime, or stands in one that must not wait.
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

/// Held shared while something is made in Docker, and alone by whoever is about to remove all of it.
pub(crate) type Making = Arc<RwLock<()>>;

/// Makes something, to the end even where nobody waits for it any more: what is on its way cannot be removed.
pub(super) async fn undisturbed<T: Send + 'static>(
    making: &Making,
    work: impl Future<Output = Result<T, ContainerError>> + Send + 'static,
) -> Result<T, ContainerError> {
    let under_way = Arc::clone(making).read_owned().await;
    let task = tokio::spawn(async move {
        let made = work.await;
        drop(under_way);
        made
    });
    task.await
        .unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// Waits until nothing is on its way. Blocking.
pub(crate) fn settle(making: &Making) -> Result<(), ContainerError> {
    blocking(async {
        // What takes longer than that is found by the next sweep.
        let _ = timeout(ANSWER, making.write()).await;
        Ok(())
    })
}

/// Docker, and a version of its language that both of us speak.
pub(super) async fn connect() -> Result<Docker, ContainerError> {
    let answer = async {
        let docker = docker_client_instance()
            .await
            .map_err(|error| ContainerError::unreachable(&error))?;
        let docker = docker.negotiate_version().await;
        docker.map_err(|error| ContainerError::unreachable(&error))
    };
    timeout(ANSWER, answer).await.unwrap_or_else(|_| {
        Err(ContainerError::Unreachable {
            said: "nothing".to_owned(),
        })
    })
}

/// Docker, where it has the images.
pub(crate) async fn find(images: &Images) -> Result<Docker, ContainerError> {
    let docker = connect().await?;
    for image in [&images.postgres, &images.pipeline] {
        match docker.inspect_image(image).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => {
                return Err(ContainerError::NoImage {
                    image: image.clone(),
                });
            }
            Err(error) => return Err(doing(format!("look for the image '{image}'"))(error)),
        }
    }
    Ok(docker)
}

/// Whether there is a Docker that has the images; blocking.
pub(crate) fn preflight(images: &Images) -> Result<(), ContainerError> {
    blocking(async { find(images).await.map(drop) })
}

/// The network of one stack, and Docker.
pub(crate) struct Network {
    pub(super) docker: Docker,
    pub(super) images: Images,
    pub(super) labels: HashMap<String, String>,
    pub(super) name: String,
    pub(super) making: Making,
    gateway: IpAddr,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("name", &self.name)
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// Makes the network and the volume of a stack; its ledger already says that there may be such.
    pub(crate) async fn create(
        docker: Docker,
        site: &StackDir,
        images: &Images,
    ) -> Result<Self, ContainerError> {
        let name = format!("cutover-{}", site.id());
        let labels = labels(site);
        let network = NetworkCreateRequest {
            name: name.clone(),
            labels: Some(labels.clone()),
            ..NetworkCreateRequest::default()
        };
        let volume = VolumeCreateRequest {
            name: Some(name.clone()),
            labels: Some(labels.clone()),
            ..VolumeCreateRequest::default()
        };
        let engine = docker.clone();
        let both = Box::pin(async move {
            let (network, volume) =
                tokio::join!(engine.create_network(network), engine.create_volume(volume));
            network.map_err(doing("make the stack's network"))?;
            volume.map_err(doing("make the stack's volume"))
        });
        undisturbed(site.making(), both).await?;
        let made = docker
            .inspect_network(&name, None::<InspectNetworkOptions>)
            .await
            .map_err(doing("look at the stack's network"))?;
        let gateway = gateway(made).unwrap_or(IpAddr::from([0, 0, 0, 0]));
        if gateway.is_unspecified() || TcpListener::bind((gateway, 0)).is_err() {
            return Err(ContainerError::Elsewhere { address: gateway });
        }
        Ok(Self {
            docker,
            images: images.clone(),
            labels,
            name,
            making: Arc::clone(site.making()),
            gateway,
        })
    }

    /// The address of this machine on the network: the containers reach it, and nobody from outside does.
    pub(crate) fn gateway(&self) -> IpAddr {
        self.gateway
    }
}

fn labels(site: &StackDir) -> HashMap<String, String> {
    let root = site.directory().parent().unwrap_or(site.directory());
    [
        (STACK, site.id().to_owned()),
        (ROOT, root.display().to_string()),
        (WORLD, World::here().namespace.unwrap_or_default()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn gateway(network: NetworkInspect) -> Option<IpAddr> {
    let configured = network.ipam?.config?;
    configured
        .into_iter()
        .find_map(|range| range.gateway?.parse().ok())
}
