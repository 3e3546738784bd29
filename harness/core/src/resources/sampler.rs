//! The sampler: reads what processes use, and what else the sources of a target say, until it is stopped.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cutover_contract::probe::ActivityProbe;
use tokio::sync::watch;
use tokio::task;

use super::clock::{Clock, INTERVAL};
use super::containers::{self, Containers};
use super::database;
use super::metrics::{self, Metrics};
use super::readings::Readings;
use super::series::NotSampled;
use super::settings::ResourceSource;
use super::timeline::{Timeline, WaitEvent, Watched};

/// The shortest time between the last two samples.
const SHORTEST: Duration = Duration::from_millis(200);

/// The number of events that sessions waited for that are named.
const EVENTS: usize = 5;

/// What is sampled of a target.
#[derive(Debug, Default)]
pub struct Sources {
    /// The processes.
    pub processes: Vec<Watched>,
    /// The containers.
    pub containers: Option<Containers>,
    /// The database.
    pub database: Option<ActivityProbe>,
    /// The metrics route.
    pub metrics: Option<Metrics>,
    /// What the target does not have or does not name.
    pub not_sampled: Vec<NotSampled>,
    /// Whether a process is missing.
    pub lacks_processes: bool,
}

impl Sources {
    /// Adds what a target file names of an attached target.
    pub(crate) fn watch_named(&mut self, named: &[ResourceSource]) {
        if named.is_empty() {
            let reason = "the target file names none in [resources] sources";
            self.not_sampled.push(NotSampled::new("processes", reason));
        }
        let mut containers = Vec::new();
        for source in named {
            let name = source.service.clone();
            if let Some(container) = &source.docker {
                containers.push((name, container.clone()));
                continue;
            }
            match source.process() {
                Ok(process) => self
                    .processes
                    .extend(process.map(|identity| Watched { name, identity })),
                Err(error) => {
                    self.lacks_processes = true;
                    self.not_sampled
                        .push(NotSampled::new(name, error.to_string()));
                }
            }
        }
        if !containers.is_empty() {
            self.containers = Some(Containers::Named(containers));
        }
    }
}

/// Samples until this value is dropped or finished.
#[derive(Debug)]
pub struct Sampler {
    /// The thread ends when this end of the channel is gone.
    stop: Sender<()>,
    thread: JoinHandle<Timeline>,
    /// The tasks end when this end is gone.
    end: watch::Sender<()>,
    /// One for each source outside of processes.
    tasks: Vec<task::JoinHandle<Readings>>,
    not_sampled: Vec<NotSampled>,
    lacks_processes: bool,
}

impl Sampler {
    /// Begins to sample, in the runtime that this is called in. Processes have a thread of their own: what the
    /// runtime does must not delay their samples.
    pub fn start(sources: Sources) -> Self {
        let (end, clock) = Clock::start();
        let (stop, stopped) = channel();
        let (began, processes) = (clock.began(), sources.processes);
        let containers = sources
            .containers
            .map(|watched| tokio::spawn(containers::sample(watched, clock.clone())));
        let database = sources
            .database
            .map(|probe| tokio::spawn(database::sample(probe, clock.clone())));
        let metrics = sources
            .metrics
            .map(|route| tokio::spawn(metrics::sample(route, clock.clone())));
        Self {
            stop,
            thread: thread::spawn(move || sample_processes(&processes, began, &stopped)),
            end,
            tasks: [containers, database, metrics]
                .into_iter()
                .flatten()
                .collect(),
            not_sampled: sources.not_sampled,
            lacks_processes: sources.lacks_processes,
        }
    }

    /// Stops, and returns what was sampled.
    pub async fn finish(self) -> Timeline {
        drop((self.stop, self.end));
        // A thread or a task that panicked has sampled nothing.
        let mut timeline = self.thread.join().unwrap_or_default();
        timeline.not_sampled.extend(self.not_sampled);
        timeline.lacks_processes |= self.lacks_processes;
        for task in self.tasks {
            timeline.add(task.await.unwrap_or_default());
        }
        timeline
    }
}

impl Timeline {
    /// Adds what was sampled of a source.
    fn add(&mut self, sampled: Readings) {
        self.processes.extend(sampled.processes);
        self.lacks_processes |= sampled.lacks_processes;
        self.series.extend(sampled.series);
        self.not_sampled.extend(sampled.not_sampled);
        let events = sampled.waits.into_iter();
        let mut waits: Vec<_> = events
            .map(|(event, sessions)| WaitEvent { event, sessions })
            .collect();
        waits.sort_by_key(|wait| std::cmp::Reverse(wait.sessions));
        waits.truncate(EVENTS);
        self.waits.extend(waits);
    }
}

/// Samples processes until the channel is closed.
fn sample_processes(processes: &[Watched], began: Instant, stopped: &Receiver<()>) -> Timeline {
    let mut timeline = Timeline::of(processes);
    for due in 0.. {
        timeline.sample(processes, began.elapsed());
        let next = began + INTERVAL * (due + 1);
        let wait = next.saturating_duration_since(Instant::now());
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    // The processor time is counted in ticks: a short interval says little.
    if timeline
        .last()
        .is_none_or(|last| began.elapsed() >= last + SHORTEST)
    {
        timeline.sample(processes, began.elapsed());
    }
    timeline.finish()
}

#[cfg(test)]
mod tests {
    use cutover_stack::ProcessIdentity;

    use super::*;

    fn process(name: &str, identity: ProcessIdentity) -> Watched {
        Watched {
            name: name.to_owned(),
            identity,
        }
    }

    fn sources(processes: Vec<Watched>) -> Sources {
        Sources {
            processes,
            ..Sources::default()
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_busy_process_has_a_series_and_an_exited_one_has_none() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let exited = ProcessIdentity::from_pid(child.id());
        child.wait().unwrap();
        let sampler = Sampler::start(sources(vec![
            process("this", ProcessIdentity::current()),
            process("exited", exited),
        ]));
        // On a busy machine, a process gets the processor late.
        let (began, used) = (Instant::now(), || {
            ProcessIdentity::current().processor_time()
        });
        let before = used();
        while began.elapsed() < Duration::from_millis(800)
            || used() < before + Duration::from_millis(300)
        {
            std::hint::spin_loop();
        }
        let timeline = sampler.finish().await;
        assert!(timeline.lacks_processes);
        assert_eq!(timeline.not_sampled[0].what, "exited");
        let this = &timeline.processes[0];
        assert!(this.samples.len() >= 3, "{this:?}");
        assert!(this.processor() > 0.2, "{this:?}");
        assert!(
            this.shares().iter().any(|(_, share)| *share > 0.02),
            "{this:?}"
        );
    }

    #[tokio::test]
    async fn what_a_target_does_not_have_is_named() {
        let nothing = Sources {
            not_sampled: vec![NotSampled::new("sessions", "the target has no database")],
            ..Sources::default()
        };
        let timeline = Sampler::start(nothing).finish().await;
        assert_eq!(
            timeline.not_sampled[0].reason,
            "not sampled: the target has no database"
        );
    }
}
