//! A deadline that does not run out while the machine stands still.
//!
//! What we wait for often runs on this very machine. While something there waits for a processor
//! or for a disk, a system is slow for reasons that are not its own; such time counts a quarter.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

/// The part of a stall that is not counted: a machine that stands still all the
/// time makes deadlines four times as long, and no more.
const NOT_COUNTED: f64 = 0.75;

/// A deadline from now on.
#[derive(Debug)]
pub struct StallAwareDeadline {
    within: Duration,
    began: Instant,
    stalled: Duration,
}

impl StallAwareDeadline {
    /// A wait that begins now.
    pub fn new(within: Duration) -> Self {
        Self {
            within,
            began: Instant::now(),
            stalled: stalled(),
        }
    }

    /// How much of the deadline is left; nothing when it is over.
    pub fn left(&self) -> Duration {
        let elapsed = self.began.elapsed();
        if elapsed < self.within {
            return self.within.saturating_sub(elapsed);
        }
        let stalled = stalled().saturating_sub(self.stalled);
        self.within.saturating_sub(counted(elapsed, stalled))
    }

    /// Awaits a future for as long as the deadline lasts.
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            let left = self.left();
            if let Ok(output) = tokio::time::timeout(left, future.as_mut()).await {
                return Some(output);
            }
            if left.is_zero() {
                return None;
            }
        }
    }
}

/// How much of a wait counts, when the machine stood still for a part of it.
fn counted(elapsed: Duration, stalled: Duration) -> Duration {
    elapsed.saturating_sub(stalled.min(elapsed).mul_f64(NOT_COUNTED))
}

/// For how long, since the machine started, something has waited for a processor, or
/// everything for a disk; no time where the system does not say, as only Linux does.
fn stalled() -> Duration {
    let processor = pressure("/proc/pressure/cpu", "some");
    let disk = pressure("/proc/pressure/io", "full");
    processor + disk
}

fn pressure(file: &str, which: &str) -> Duration {
    fs::read_to_string(file)
        .ok()
        .and_then(|text| total(&text, which))
        .unwrap_or_default()
}

/// Reads `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`, whose total is in microseconds.
fn total(text: &str, which: &str) -> Option<Duration> {
    let line = text.lines().find(|line| line.starts_with(which))?;
    let total = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_counts_a_quarter_and_never_more_than_the_wait() {
        let seconds = Duration::from_secs;
        assert_eq!(counted(seconds(8), seconds(0)), seconds(8));
        assert_eq!(counted(seconds(8), seconds(4)), seconds(5));
        assert_eq!(counted(seconds(8), seconds(80)), seconds(2));
    }

    #[test]
    fn the_kernels_account_is_read() {
        let text = "some avg10=4.61 avg60=26.57 avg300=37.21 total=554210310\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(
            total(text, "some"),
            Some(Duration::from_micros(554_210_310))
        );
        assert_eq!(total(text, "full"), Some(Duration::from_micros(7)));
        assert_eq!(total("nonsense", "some"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_taken_and_what_never_comes_is_not_waited_for() {
        let deadline = StallAwareDeadline::new(Duration::from_secs(1));
        assert_eq!(deadline.run(async { 7 }).await, Some(7));
        assert_eq!(deadline.run(std::future::pending::<()>()).await, None);
        assert!(deadline.left().is_zero());
    }
}
