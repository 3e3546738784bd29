//! Samples containers on the clock of a load: those of a stack, or those that a target file names.

use cutover_stack::{ContainerError, ContainerUsage, WatchedContainers};

use super::clock::Clock;
use super::readings::Readings;
use super::series::{NotSampled, rounded};
use super::timeline::{ProcessSeries, Sample};

/// Which containers are sampled.
#[derive(Clone, Debug)]
pub enum Containers {
    /// Those of the stack with this id.
    OfStack(String),
    /// Those with these names, each after the name of its service.
    Named(Vec<(String, String)>),
}

impl Containers {
    async fn open(self) -> Result<WatchedContainers, ContainerError> {
        match self {
            Self::OfStack(stack) => WatchedContainers::of_stack(&stack).await,
            Self::Named(containers) => WatchedContainers::named(containers).await,
        }
    }
}

/// Samples containers until the load has ended.
pub(super) async fn sample(containers: Containers, mut clock: Clock) -> Readings {
    let containers = match containers.open().await {
        Ok(containers) => containers,
        Err(error) => {
            return Readings {
                not_sampled: vec![NotSampled::new("containers", error.to_string())],
                lacks_processes: true,
                ..Readings::default()
            };
        }
    };
    let services = containers.services().map(|service| ProcessSeries {
        name: service.to_owned(),
        samples: Vec::new(),
    });
    let mut services: Vec<_> = services.collect();
    while let Some(at) = clock.tick().await {
        for (service, usage) in services.iter_mut().zip(containers.read().await) {
            let sample = usage.map(|usage| sample_of(rounded(at), usage));
            service.samples.extend(sample);
        }
    }
    finish(services)
}

fn sample_of(at: f64, usage: ContainerUsage) -> Sample {
    Sample {
        at,
        processor: usage.processor_time.as_secs_f64(),
        memory: usage.memory,
        open_files: None,
        threads: usage.threads,
    }
}

fn finish(services: Vec<ProcessSeries>) -> Readings {
    let (processes, not): (Vec<_>, Vec<_>) = services
        .into_iter()
        .partition(|series| series.samples.len() > 1);
    let reason = "Docker has no statistics of its container; it does not run, or has another name";
    let missing = not
        .iter()
        .map(|series| NotSampled::new(&series.name, reason));
    let mut not_sampled: Vec<_> = missing.collect();
    if !processes.is_empty() {
        let reason = "Docker does not count the open files of containers";
        not_sampled.push(NotSampled::new("open files", reason));
    }
    Readings {
        lacks_processes: !not.is_empty(),
        processes,
        not_sampled,
        ..Readings::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_container_without_statistics_is_named() {
        let usage = ContainerUsage {
            processor_time: Duration::from_secs(2),
            memory: 3,
            threads: 4,
        };
        let series = |name: &str, samples| ProcessSeries {
            name: name.to_owned(),
            samples,
        };
        let both = [0.0, 0.5].map(|at| sample_of(at, usage)).to_vec();
        let sampled = finish(vec![series("api", both), series("worker", Vec::new())]);
        assert_eq!(sampled.processes[0].name, "api");
        assert!(sampled.lacks_processes);
        let what: Vec<_> = sampled
            .not_sampled
            .iter()
            .map(|not| not.what.as_str())
            .collect();
        assert_eq!(what, ["worker", "open files"]);
    }
}
