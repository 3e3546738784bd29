//! The sampler: a thread that reads what processes use, at equal distances, until it is stopped.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::timeline::{Timeline, Watched};

/// The time between two samples.
const INTERVAL: Duration = Duration::from_millis(500);

/// The shortest time between the last two samples.
const SHORTEST: Duration = Duration::from_millis(200);

/// A thread that samples until this value is dropped or finished.
pub(crate) struct Sampler {
    /// The thread ends when this end of the channel is gone.
    stop: Sender<()>,
    thread: JoinHandle<Timeline>,
}

impl Sampler {
    /// Begins to sample these processes; nothing where there are none.
    pub(crate) fn start(processes: Vec<Watched>) -> Option<Self> {
        if processes.is_empty() {
            return None;
        }
        let (stop, stopped) = channel();
        let began = Instant::now();
        let thread = thread::spawn(move || {
            let mut timeline = Timeline::of(&processes);
            for due in 0.. {
                timeline.sample(&processes, began.elapsed());
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
                timeline.sample(&processes, began.elapsed());
            }
            timeline.finish()
        });
        Some(Self { stop, thread })
    }

    /// Stops, and returns what was sampled.
    pub(crate) fn finish(self) -> Timeline {
        drop(self.stop);
        // A thread that panicked has sampled nothing.
        self.thread.join().unwrap_or_default()
    }
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

    #[test]
    #[cfg(target_os = "linux")]
    fn a_busy_process_has_a_series_and_an_exited_one_has_none() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let exited = ProcessIdentity::from_pid(child.id());
        child.wait().unwrap();
        let sampler = Sampler::start(vec![
            process("this", ProcessIdentity::current()),
            process("exited", exited),
        ]);
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(800) {
            std::hint::spin_loop();
        }
        let timeline = sampler.unwrap().finish();
        assert_eq!(timeline.not_measured, ["exited"]);
        let this = &timeline.processes[0];
        assert!(this.samples.len() >= 3, "{this:?}");
        assert!(this.processor() > 0.2, "{this:?}");
        assert!(
            this.shares().iter().any(|(_, share)| *share > 0.2),
            "{this:?}"
        );
    }

    #[test]
    fn without_processes_there_is_nothing_to_sample() {
        assert!(Sampler::start(Vec::new()).is_none());
    }
}
