//! Removes what Docker keeps of a stack, by its label: the same for an orderly stop, a drop and a sweep.

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

use super::engine::{ContainerError, ROOT, STACK, WORLD, blocking, connect, doing, is_gone};
use crate::mark::World;
use crate::site::PREFIX;

/// How often containers are looked for: one may still have been on its way when the first were found.
const ROUNDS: usize = 5;

/// How long Docker is given to finish what it is at.
const BREATH: Duration = Duration::from_millis(300);

/// What a label must say.
type Filter = HashMap<String, Vec<String>>;

/// Removes the containers, volumes and networks of a stack; says how many containers ran. Blocking.
pub(crate) fn remove(stack: &str) -> Result<usize, ContainerError> {
    let filter = labelled(&format!("{STACK}={stack}"));
    blocking(async { remove_all(&connect().await?, &filter).await })
}

/// Removes what is left of stacks under a root whose directory is gone; says how many containers ran. Blocking.
pub(crate) fn remove_orphans(root: &Path) -> Result<usize, ContainerError> {
    blocking(async {
        let docker = connect().await?;
        let mut ran = 0;
        for stack in orphans(&docker, root).await? {
            ran += remove_all(&docker, &labelled(&format!("{STACK}={stack}"))).await?;
        }
        Ok(ran)
    })
}

fn labelled(label: &str) -> Filter {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}

/// Removes everything, and again where Docker is still busy with what a killed run had asked it for.
async fn remove_all(docker: &Docker, filter: &Filter) -> Result<usize, ContainerError> {
    for _ in 1..ROUNDS {
        if let Ok(ran) = remove_once(docker, filter).await {
            return Ok(ran);
        }
        tokio::time::sleep(BREATH).await;
    }
    remove_once(docker, filter).await
}

async fn remove_once(docker: &Docker, filter: &Filter) -> Result<usize, ContainerError> {
    let mut ran = 0;
    for _ in 0..ROUNDS {
        let containers = containers(docker, filter).await?;
        if containers.is_empty() {
            break;
        }
        ran += containers
            .iter()
            .filter(|container| runs(container))
            .count();
        let removals = containers.iter().filter_map(|container| {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
            Some(docker.remove_container(container.id.as_deref()?, Some(options.build())))
        });
        all_gone("a container of the stack", join_all(removals).await)?;
    }
    let volumes = volumes(docker, filter).await?;
    let removals = volumes.iter().map(|volume| {
        let options = RemoveVolumeOptionsBuilder::new().force(true).build();
        docker.remove_volume(&volume.name, Some(options))
    });
    all_gone("a volume of the stack", join_all(removals).await)?;
    let networks = networks(docker, filter).await?;
    let removals = networks
        .iter()
        .filter_map(|network| Some(docker.remove_network(network.id.as_deref()?)));
    all_gone("a network of the stack", join_all(removals).await)?;
    Ok(ran)
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
        .map_err(doing("list the containers of stacks"))
}

fn runs(container: &ContainerSummary) -> bool {
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
        .map_err(doing("list the volumes of stacks"))?;
    Ok(listed.volumes.unwrap_or_default())
}

async fn networks(docker: &Docker, filter: &Filter) -> Result<Vec<Network>, ContainerError> {
    let options = ListNetworksOptionsBuilder::new().filters(filter).build();
    docker
        .list_networks(Some(options))
        .await
        .map_err(doing("list the networks of stacks"))
}

fn all_gone(what: &str, outcomes: Vec<Result<(), DockerError>>) -> Result<(), ContainerError> {
    let failed = outcomes
        .into_iter()
        .find_map(|outcome| outcome.err().filter(|error| !is_gone(error)));
    failed.map_or(Ok(()), |error| Err(doing(format!("remove {what}"))(error)))
}

/// The stacks of this world under a root that have something left in Docker and nothing on disk.
async fn orphans(docker: &Docker, root: &Path) -> Result<BTreeSet<String>, ContainerError> {
    let under_root = labelled(&format!("{ROOT}={}", root.display()));
    let (containers, volumes, networks) = tokio::try_join!(
        containers(docker, &under_root),
        volumes(docker, &under_root),
        networks(docker, &under_root),
    )?;
    let here = World::here().namespace.unwrap_or_default();
    let labels = containers
        .into_iter()
        .filter_map(|container| container.labels)
        .chain(volumes.into_iter().map(|volume| volume.labels))
        .chain(networks.into_iter().filter_map(|network| network.labels));
    Ok(labels
        .filter(|labels| labels.get(WORLD) == Some(&here))
        .filter_map(|mut labels| labels.remove(STACK))
        .filter(|stack| !root.join(format!("{PREFIX}{stack}")).exists())
        .collect())
}
