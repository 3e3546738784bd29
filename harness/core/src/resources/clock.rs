//! The clock of a load: the times at which everything is sampled, until the load ends.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The time between two samples.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// A source is read for at most one part in this of the time: one that answers slowly is read less often.
const PART: u32 = 4;

/// The clock of a load.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// The start of the load.
    began: Instant,
    /// Closed when the load ends.
    stop: watch::Receiver<()>,
    /// The number of the last sample, and when it began.
    due: u32,
    last: Option<Instant>,
}

impl Clock {
    /// A clock that starts now, and stops when the sender is dropped.
    pub(super) fn start() -> (watch::Sender<()>, Self) {
        let (sender, stop) = watch::channel(());
        let clock = Self {
            began: Instant::now(),
            stop,
            due: 0,
            last: None,
        };
        (sender, clock)
    }

    /// When the load began.
    pub(super) fn began(&self) -> std::time::Instant {
        self.began.into_std()
    }

    /// Waits until the next sample is due; the time since the start of the load, or nothing once it has ended.
    pub(super) async fn tick(&mut self) -> Option<Duration> {
        if let Some(started) = self.last {
            self.due = next(self.due, started.elapsed(), self.began.elapsed());
            // The samples are at equal distances. The end of the load ends the wait.
            tokio::select! {
                biased;
                _ = self.stop.changed() => return None,
                // The due time of the next sample; the stop above ends the wait.
                () = sleep_until(self.began + INTERVAL * self.due) => {}
            }
        }
        let now = Instant::now();
        self.last = Some(now);
        Some(now - self.began)
    }
}

/// The number of the next sample, after the one of this number that took a time and ended at another one.
fn next(due: u32, took: Duration, now: Duration) -> u32 {
    let earliest = (now + took * (PART - 1)).as_millis() / INTERVAL.as_millis();
    u32::try_from(earliest).map_or(u32::MAX, |earliest| (due + 1).max(earliest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_source_is_read_less_often() {
        let ms = Duration::from_millis;
        assert_eq!(next(3, ms(20), ms(1_520)), 4);
        assert_eq!(next(3, ms(400), ms(1_900)), 6);
        assert_eq!(next(0, ms(700), ms(700)), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn samples_are_at_equal_distances_until_the_end() {
        let (end, mut clock) = Clock::start();
        let sampling = tokio::spawn(async move {
            let mut times = Vec::new();
            while let Some(at) = clock.tick().await {
                times.push(at.as_millis());
            }
            times
        });
        // The time of three ticks, at 0, 0.5 and 1 s.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        drop(end);
        assert_eq!(sampling.await.unwrap(), [0, 500, 1_000]);
    }
}
