//! Waiting with a deadline, for tests of whole runs.

use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything takes on a loaded machine.
const DEADLINE: Duration = Duration::from_mins(3);

/// The processes that a test waits for need the processors more than it does.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Polls until there is a value, and returns it; panics after three minutes.
pub fn wait_for<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "timed out: {what}");
        thread::sleep(POLL_INTERVAL);
    }
}
