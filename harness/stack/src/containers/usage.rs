//! What containers use, from Docker's statistics: one reading at a time, of each container at once.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use testcontainers::bollard::query_parameters::StatsOptionsBuilder;
use tokio::time::timeout;

use super::docker::{ContainerError, connect};
use super::remove::running_of_stack;

/// The time that one reading may take.
const TIMEOUT: Duration = Duration::from_millis(400);

/// What a container has used and holds at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The processor time of all of its processes so far.
    pub processor_time: Duration,
    /// Its memory in bytes, without the files that the kernel keeps in memory for no one.
    pub memory: u64,
    /// Its threads.
    pub threads: u64,
}

/// Containers whose resources are read.
pub struct WatchedContainers {
    docker: Docker,
    /// The names of the services, with the names or ids of their containers.
    containers: Vec<(String, String)>,
}

impl fmt::Debug for WatchedContainers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let containers = &self.containers;
        f.debug_tuple("WatchedContainers")
            .field(containers)
            .finish()
    }
}

impl WatchedContainers {
    /// The running containers of a stack, found by its label.
    ///
    /// # Errors
    /// If Docker does not answer.
    pub async fn of_stack(stack: &str) -> Result<Self, ContainerError> {
        let docker = connect().await?;
        let containers = running_of_stack(&docker, stack).await?;
        Ok(Self { docker, containers })
    }

    /// The containers with these names, each after the name of its service.
    ///
    /// # Errors
    /// If Docker does not answer.
    pub async fn named(containers: Vec<(String, String)>) -> Result<Self, ContainerError> {
        let docker = connect().await?;
        Ok(Self { docker, containers })
    }

    /// The names of the services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.containers.iter().map(|(service, _)| service.as_str())
    }

    /// What each of them uses now, in the order of the services; nothing for one that does not run.
    pub async fn read(&self) -> Vec<Option<ContainerUsage>> {
        let readings = self.containers.iter().map(async |(_, name)| {
            let options = StatsOptionsBuilder::new().stream(false).one_shot(true);
            let mut answers = self.docker.stats(name, Some(options.build()));
            let answer = timeout(TIMEOUT, answers.next()).await.ok()??;
            usage(&answer.ok()?)
        });
        join_all(readings).await
    }
}

/// What a container uses; nothing of one that has stopped, for which Docker answers without values.
fn usage(stats: &ContainerStatsResponse) -> Option<ContainerUsage> {
    let processor = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    Some(ContainerUsage {
        processor_time: Duration::from_nanos(processor),
        memory: memory(stats.memory_stats.as_ref()?)?,
        threads: stats.pids_stats.as_ref()?.current?,
    })
}

/// The memory as `docker stats` shows it: without the inactive pages of files.
fn memory(stats: &ContainerMemoryStats) -> Option<u64> {
    let inactive = |details: &HashMap<String, u64>| {
        let names = ["inactive_file", "total_inactive_file"];
        names.iter().find_map(|name| details.get(*name).copied())
    };
    let inactive = stats.stats.as_ref().and_then(inactive);
    Some(stats.usage?.saturating_sub(inactive.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(text: &str) -> Option<ContainerUsage> {
        usage(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn statistics_of_a_running_container_are_read() {
        let read = stats(
            r#"{"cpu_stats": {"cpu_usage": {"total_usage": 1500000000}}, "pids_stats": {"current": 7},
                "memory_stats": {"usage": 1000, "stats": {"inactive_file": 400}}}"#,
        );
        let expected = ContainerUsage {
            processor_time: Duration::from_millis(1_500),
            memory: 600,
            threads: 7,
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn a_stopped_container_has_no_statistics() {
        let stopped = r#"{"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "pids_stats": {}, "memory_stats": {}}"#;
        assert_eq!(stats(stopped), None);
        assert_eq!(stats("{}"), None);
    }
}
