//! The processes of a target whose resources are sampled: whether each is found.

use cutover_harness::target_file::ResourceSource;
use cutover_stack::WatchedContainers;

use super::report::{Report, chain};

const REMEDY: &str = "correct [resources] sources in the target file";

/// Looks for each process and container.
pub(super) async fn check_resources(sources: &[ResourceSource], report: &mut Report) {
    for source in sources {
        let found = match &source.docker {
            None => source.process().map(drop).map_err(chain),
            Some(name) => container(&source.service, name).await,
        };
        let found = found.map(|()| format!("{} can be sampled under load", source.service));
        report.add(
            "resources",
            found.map_err(|error| format!("{error}; {REMEDY}")),
        );
    }
}

async fn container(service: &str, name: &str) -> Result<(), String> {
    let named = vec![(service.to_owned(), name.to_owned())];
    let containers = WatchedContainers::named(named).await.map_err(chain)?;
    let usage = containers.read().await.into_iter().flatten().next();
    usage
        .map(drop)
        .ok_or_else(|| format!("find the running container '{name}'"))
}
