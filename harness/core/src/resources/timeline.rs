//! The timeline: what each process used and held at each sample, and what else was sampled.

use std::time::Duration;

use cutover_stack::{ProcessIdentity, ProcessUsage};
use serde::Serialize;

use super::series::{NotSampled, Series};

/// A process whose resources are read.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The name of the service.
    pub name: String,
    /// Which process of this machine it is.
    pub identity: ProcessIdentity,
}

/// What one process used and held, sample by sample.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessSeries {
    /// The name of the service.
    pub name: String,
    /// Its samples.
    pub samples: Vec<Sample>,
}

/// What a process, with the processes that it has started, or a container, used and held at a time. Memory that they
/// share counts once.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Seconds since the start of the load.
    pub at: f64,
    /// The processor time so far, in seconds.
    pub processor: f64,
    /// Resident memory in bytes.
    pub memory: u64,
    /// Open files; nothing of a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Threads.
    pub threads: u64,
}

impl Sample {
    fn new(at: Duration, process: ProcessIdentity, usage: ProcessUsage) -> Self {
        Self {
            at: at.as_secs_f64(),
            processor: process.processor_time().as_secs_f64(),
            memory: usage.resident_bytes,
            open_files: Some(usage.open_files),
            threads: usage.threads,
        }
    }

    fn add(&mut self, child: Self) {
        self.processor += child.processor;
        self.memory += child.memory;
        self.open_files = self
            .open_files
            .zip(child.open_files)
            .map(|(one, other)| one + other);
        self.threads += child.threads;
    }
}

/// What was sampled during a load.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Timeline {
    /// The processes.
    pub processes: Vec<ProcessSeries>,
    /// Everything else.
    pub series: Vec<Series>,
    /// What sessions of the database waited for, the most frequent event first.
    pub waits: Vec<WaitEvent>,
    /// What was not sampled, and why.
    pub not_sampled: Vec<NotSampled>,
    /// Whether a process is missing.
    #[serde(skip)]
    pub(crate) lacks_processes: bool,
}

/// What sessions of the database waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitEvent {
    /// The `wait_event_type` and the `wait_event`.
    pub event: String,
    /// The number of sessions that waited for it, summed over all samples.
    pub sessions: u64,
}

impl Timeline {
    pub(super) fn of(processes: &[Watched]) -> Self {
        let series = processes.iter().map(|process| ProcessSeries {
            name: process.name.clone(),
            samples: Vec::new(),
        });
        Self {
            processes: series.collect(),
            ..Self::default()
        }
    }

    /// Adds a sample of each process.
    pub(super) fn sample(&mut self, processes: &[Watched], at: Duration) {
        for (series, process) in self.processes.iter_mut().zip(processes) {
            let Some(usage) = ProcessUsage::of(process.identity) else {
                continue;
            };
            // PostgreSQL has a process for each session.
            let mut sample = Sample::new(at, process.identity, usage);
            let ended = process.identity.processor_time_of_ended_children();
            sample.processor += ended.as_secs_f64();
            for child in process.identity.children() {
                if let Some(usage) = ProcessUsage::of(child) {
                    let memory = usage.private_bytes;
                    sample.add(Sample {
                        memory,
                        ..Sample::new(at, child, usage)
                    });
                }
            }
            series.samples.push(sample);
        }
    }

    /// When the last sample was taken.
    pub(super) fn last(&self) -> Option<Duration> {
        let last = self
            .processes
            .iter()
            .filter_map(|series| series.samples.last());
        let last = last.map(|sample| sample.at).max_by(f64::total_cmp);
        last.map(Duration::from_secs_f64)
    }

    /// Names the processes without two samples, which have no series.
    pub(super) fn finish(mut self) -> Self {
        let (measured, not): (_, Vec<_>) = self
            .processes
            .into_iter()
            .partition(|series| series.samples.len() > 1);
        self.processes = measured;
        self.lacks_processes = !not.is_empty();
        let reason = "the process has exited, or this user may not read it in /proc";
        let not = not
            .into_iter()
            .map(|series| NotSampled::new(series.name, reason));
        self.not_sampled.extend(not);
        self
    }
}

impl ProcessSeries {
    /// The processor time between the first and the last sample, in seconds.
    pub fn processor(&self) -> f64 {
        let of = |sample: Option<&Sample>| sample.map_or(0.0, |sample| sample.processor);
        (of(self.samples.last()) - of(self.samples.first())).max(0.0)
    }

    /// The share of a processor in each interval, with the time of its middle.
    pub(crate) fn shares(&self) -> Vec<(f64, f64)> {
        let pairs = self.samples.windows(2);
        pairs
            .map(|pair| {
                let time = pair[1].at - pair[0].at;
                let used = (pair[1].processor - pair[0].processor).max(0.0);
                (f64::midpoint(pair[0].at, pair[1].at), used / time)
            })
            .collect()
    }
}
