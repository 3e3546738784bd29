//! The timeline: what each process used and held at each sample.

use std::time::Duration;

use cutover_stack::{ProcessIdentity, ProcessUsage};
use serde::Serialize;

/// A process whose resources are read.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The name of the service.
    pub(crate) name: String,
    pub(crate) identity: ProcessIdentity,
}

/// What one process used and held, sample by sample.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProcessSeries {
    /// The name of the service.
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
}

/// What a process, with the processes that it has started, used and held at a time. Memory that they
/// share counts once.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the start of the load.
    pub(crate) at: f64,
    /// The processor time so far, in seconds.
    pub(crate) processor: f64,
    /// Resident memory in bytes.
    pub(crate) memory: u64,
    /// Open files.
    pub(crate) open_files: u64,
    /// Threads.
    pub(crate) threads: u64,
}

impl Sample {
    fn new(at: Duration, process: ProcessIdentity, usage: ProcessUsage) -> Self {
        Self {
            at: at.as_secs_f64(),
            processor: process.processor_time().as_secs_f64(),
            memory: usage.resident_bytes,
            open_files: usage.open_files,
            threads: usage.threads,
        }
    }

    fn add(&mut self, child: Self) {
        self.processor += child.processor;
        self.memory += child.memory;
        self.open_files += child.open_files;
        self.threads += child.threads;
    }
}

/// The series of all processes.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Timeline {
    pub(crate) processes: Vec<ProcessSeries>,
    /// The processes that cannot be read on this system, or have exited.
    pub(crate) not_measured: Vec<String>,
}

impl Timeline {
    pub(super) fn of(processes: &[Watched]) -> Self {
        let series = processes.iter().map(|process| ProcessSeries {
            name: process.name.clone(),
            samples: Vec::new(),
        });
        Self {
            processes: series.collect(),
            not_measured: Vec::new(),
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
        let (measured, not) = self
            .processes
            .into_iter()
            .partition(|series| series.samples.len() > 1);
        self.processes = measured;
        let not: Vec<ProcessSeries> = not;
        self.not_measured = not.into_iter().map(|series| series.name).collect();
        self
    }
}

impl ProcessSeries {
    /// The processor time between the first and the last sample, in seconds.
    pub(crate) fn processor(&self) -> f64 {
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
