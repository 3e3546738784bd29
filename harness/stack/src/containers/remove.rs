//! Removes the containers, volumes and networks of a stack, which it finds by their labels.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, Network, Volume,
};
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
};

use super::docker::{ContainerError, blocking, connect, context, is_gone};
use super::network::{PID_NAMESPACE, ROOT, STACK};
use crate::process_identity::PidScope;

/// How often the containers are listed: a creation may still be in progress at the first listing.
const MAX_ATTEMPTS: usize = 5;

/// The pause before another attempt.
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// A filter of Docker's list requests.
type Filter = HashMap<String, Vec<String>>;

/// Removes everything of a stack; returns how many containers were running. Blocking.
pub(crate) fn remove(stack: &str) -> Result<usize, ContainerError> {
    let filter = label_filter(&format!("{STACK}={stack}"));
    blocking(async { remove_all(&connect().await?, &filter).await })
}

/// Removes everything of stacks under a root whose directory, a prefix and the id, no longer exists;
/// returns how many containers were running. Blocking.
pub(crate) fn remove_orphans(root: &Path, prefix: &str) -> Result<usize, ContainerError> {
    blocking(async {
        let docker = connect().await?;
        let mut running = 0;
        for stack in orphans(&docker, root, prefix).await? {
            let filter = label_filter(&format!("{STACK}={stack}"));
            running += remove_all(&docker, &filter).await?;
        }
        Ok(running)
    })
}

fn label_filter(label: &str) -> Filter {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}

/// Removes everything, with retries: Docker may still be executing the requests of a killed run.
async fn remove_all(docker: &Docker, filter: &Filter) -> Result<usize, ContainerError> {
    for _ in 1..MAX_ATTEMPTS {
        if let Ok(running) = remove_once(docker, filter).await {
            return Ok(running);
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
    remove_once(docker, filter).await
}

async fn remove_once(docker: &Docker, filter: &Filter) -> Result<usize, ContainerError> {
    let mut running = 0;
    for _ in 0..MAX_ATTEMPTS {
        let containers = containers(docker, filter).await?;
        if containers.is_empty() {
            break;
        }
        running += containers
            .iter()
            .filter(|container| is_running(container))
            .count();
        let removals = containers.iter().filter_map(|container| {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
            Some(docker.remove_container(container.id.as_deref()?, Some(options.build())))
        });
        check_removed("a container of the stack", join_all(removals).await)?;
    }
    let volumes = volumes(docker, filter).await?;
    let removals = volumes.iter().map(|volume| {
        let options = RemoveVolumeOptionsBuilder::new().force(true).build();
        docker.remove_volume(&volume.name, Some(options))
    });
    check_removed("a volume of the stack", join_all(removals).await)?;
    let networks = networks(docker, filter).await?;
    let removals = networks
        .iter()
        .filter_map(|network| Some(docker.remove_network(network.id.as_deref()?)));
    check_removed("a network of the stack", join_all(removals).await)?;
    Ok(running)
}

async fn containers(
    docker: &Docker,
    filter: &Filter,
) -> Result<Vec<ContainerSummary>, ContainerError> {
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(filter);
    docker
        .list_containers(Some(options.build()))
        .await
        .map_err(context("list the containers of stacks"))
}

/// The running containers of a stack: the name of each service, and the id of its container.
pub(super) async fn running_of_stack(
    docker: &Docker,
    stack: &str,
) -> Result<Vec<(String, String)>, ContainerError> {
    let filter = label_filter(&format!("{STACK}={stack}"));
    let containers = containers(docker, &filter).await?;
    let running = containers.into_iter().filter(is_running);
    let named = running.filter_map(|container| {
        let name = container.names?.into_iter().next()?;
        let name = name.trim_start_matches('/');
        let service = name.strip_prefix(&format!("cutover-{stack}-"));
        Some((service.unwrap_or(name).to_owned(), container.id?))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    Ok(named)
}

fn is_running(container: &ContainerSummary) -> bool {
    matches!(
        container.state,
        Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::PAUSED)
    )
}

async fn volumes(docker: &Docker, filter: &Filter) -> Result<Vec<Volume>, ContainerError> {
    let options = ListVolumesOptionsBuilder::new().filters(filter).build();
    let listed = docker
        .list_volumes(Some(options))
        .await
        .map_err(context("list the volumes of stacks"))?;
    Ok(listed.volumes.unwrap_or_default())
}

async fn networks(docker: &Docker, filter: &Filter) -> Result<Vec<Network>, ContainerError> {
    let options = ListNetworksOptionsBuilder::new().filters(filter).build();
    docker
        .list_networks(Some(options))
        .await
        .map_err(context("list the networks of stacks"))
}

/// The first error of several removals; an object that another removed is not an error.
fn check_removed(what: &str, outcomes: Vec<Result<(), DockerError>>) -> Result<(), ContainerError> {
    let failed = outcomes
        .into_iter()
        .find_map(|outcome| outcome.err().filter(|error| !is_gone(error)));
    failed.map_or(Ok(()), |error| {
        Err(context(format!("remove {what}"))(error))
    })
}

/// The stacks of this PID namespace under a root that still have objects in Docker but no directory.
async fn orphans(
    docker: &Docker,
    root: &Path,
    prefix: &str,
) -> Result<BTreeSet<String>, ContainerError> {
    let under_root = label_filter(&format!("{ROOT}={}", root.display()));
    let (containers, volumes, networks) = tokio::try_join!(
        containers(docker, &under_root),
        volumes(docker, &under_root),
        networks(docker, &under_root),
    )?;
    let namespace = PidScope::current().namespace.unwrap_or_default();
    let labels = containers
        .into_iter()
        .filter_map(|container| container.labels)
        .chain(volumes.into_iter().map(|volume| volume.labels))
        .chain(networks.into_iter().filter_map(|network| network.labels));
    Ok(labels
        .filter(|labels| labels.get(PID_NAMESPACE) == Some(&namespace))
        .filter_map(|mut labels| labels.remove(STACK))
        .filter(|stack| !root.join(format!("{prefix}{stack}")).exists())
        .collect())
}
