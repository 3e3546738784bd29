//! The one way in which the tests of whole runs wait: with a deadline, and leaving the processors to others.

use std::time::{Duration, Instant};

/// How long anything may take; far more than it does.
const DEADLINE: Duration = Duration::from_mins(3);

/// How often it is looked for: whoever is waited for needs the processors.
const LOOK: Duration = Duration::from_millis(2);

/// Waits until a look sees something, and gives that.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begin.elapsed() < DEADLINE, "{what} never came");
        std::thread::sleep(LOOK);
    }
}
