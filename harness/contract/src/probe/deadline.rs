//! A deadline that allows for CPU and disk stalls of this machine.
//!
//! The system under test often runs on this machine. It is then slow while processes wait for
//! a CPU or a disk, and that is not its fault. Stalled time counts as a quarter.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

/// The part of a stall that is not counted. It extends a deadline to at most four times
/// its length.
const NOT_COUNTED: f64 = 0.75;

/// A deadline that starts when it is created.
#[derive(Debug)]
pub struct StallAwareDeadline {
    within: Duration,
    started: Instant,
    stalled: Duration,
}

impl StallAwareDeadline {
    /// A deadline that starts now.
    pub fn new(within: Duration) -> Self {
        Self {
            within,
            started: Instant::now(),
            stalled: stalled(),
        }
    }

    /// The remaining time; zero if the deadline has passed.
    pub fn left(&self) -> Duration {
        let elapsed = self.started.elapsed();
        if elapsed < self.within {
            return self.within.saturating_sub(elapsed);
        }
        let stalled = stalled().saturating_sub(self.stalled);
        self.within.saturating_sub(counted(elapsed, stalled))
    }

    /// Awaits a future until the deadline; `None` if the deadline passes first.
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

/// The part of the elapsed time that counts if the machine was stalled for a while.
fn counted(elapsed: Duration, stalled: Duration) -> Duration {
    elapsed.saturating_sub(stalled.min(elapsed).mul_f64(NOT_COUNTED))
}

/// The total time since boot in which a process waited for a CPU, or all processes waited
/// for a disk. It is zero except on Linux.
fn stalled() -> Duration {
    let cpu = pressure("/proc/pressure/cpu", "some");
    let disk = pressure("/proc/pressure/io", "full");
    cpu + disk
}

fn pressure(file: &str, which: &str) -> Duration {
    fs::read_to_string(file)
        .ok()
        .and_then(|text| total(&text, which))
        .unwrap_or_default()
}

/// Parses `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`; the total is in microseconds.
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
    fn a_stall_counts_as_a_quarter_and_at_most_the_elapsed_time() {
        let seconds = Duration::from_secs;
        assert_eq!(counted(seconds(8), seconds(0)), seconds(8));
        assert_eq!(counted(seconds(8), seconds(4)), seconds(5));
        assert_eq!(counted(seconds(8), seconds(80)), seconds(2));
    }

    #[test]
    fn the_pressure_file_of_the_kernel_is_parsed() {
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
    async fn a_future_is_awaited_until_the_deadline() {
        let deadline = StallAwareDeadline::new(Duration::from_secs(1));
        assert_eq!(deadline.run(async { 7 }).await, Some(7));
        assert_eq!(deadline.run(std::future::pending::<()>()).await, None);
        assert!(deadline.left().is_zero());
    }
}
