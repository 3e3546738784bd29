//! The Docker network of one stack, and the labels of everything on it.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{NetworkCreateRequest, NetworkInspect, VolumeCreateRequest};
use testcontainers::bollard::query_parameters::InspectNetworkOptions;

use super::docker::{ContainerError, CreationLock, context, run_uncancelled};
use crate::process_identity::PidScope;
use crate::spec::Images;

/// The label with the id of the stack.
pub(super) const STACK: &str = "cutover.stack";

/// The label with the directory that contains the stack's directory.
pub(super) const ROOT: &str = "cutover.root";

/// The label with the PID namespace in which the stack's PIDs are valid.
pub(super) const PID_NAMESPACE: &str = "cutover.pid-namespace";

/// The network of one stack, with the connection to Docker.
pub(crate) struct Network {
    pub(super) docker: Docker,
    pub(crate) images: Images,
    pub(super) labels: HashMap<String, String>,
    pub(super) name: String,
    pub(super) creation_lock: CreationLock,
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
    /// Creates the network and the volume of a stack whose state file already announces containers.
    pub(crate) async fn create(
        docker: Docker,
        images: &Images,
        id: &str,
        directory: &Path,
        creation_lock: &CreationLock,
    ) -> Result<Self, ContainerError> {
        let name = format!("cutover-{id}");
        let labels = labels(id, directory);
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
        let client = docker.clone();
        let both = Box::pin(async move {
            let (network, volume) =
                tokio::join!(client.create_network(network), client.create_volume(volume));
            network.map_err(context("create the stack's network"))?;
            volume.map_err(context("create the stack's volume"))
        });
        run_uncancelled(creation_lock, both).await?;
        let created = docker
            .inspect_network(&name, None::<InspectNetworkOptions>)
            .await
            .map_err(context("inspect the stack's network"))?;
        let gateway = gateway(created).unwrap_or(IpAddr::from([0, 0, 0, 0]));
        if gateway.is_unspecified() || TcpListener::bind((gateway, 0)).is_err() {
            return Err(ContainerError::NotLocal { address: gateway });
        }
        Ok(Self {
            docker,
            images: images.clone(),
            labels,
            name,
            creation_lock: Arc::clone(creation_lock),
            gateway,
        })
    }

    /// The address of this machine on the network: reachable for the containers, not from outside.
    pub(crate) fn gateway(&self) -> IpAddr {
        self.gateway
    }
}

fn labels(id: &str, directory: &Path) -> HashMap<String, String> {
    let root = directory.parent().unwrap_or(directory);
    [
        (STACK, id.to_owned()),
        (ROOT, root.display().to_string()),
        (
            PID_NAMESPACE,
            PidScope::current().namespace.unwrap_or_default(),
        ),
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
