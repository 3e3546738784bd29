//! The thread that releases each request at the time at which it is due.

use std::thread;
use std::time::{Duration, Instant};

use crate::queue::Queue;
use crate::{Pacer, Stop};

/// A sleep ends about this much late on Linux, so it is asked to end that much earlier.
const SLEEP_EXCESS: Duration = Duration::from_micros(70);

/// The shortest time between two releases: at high rates a release has several requests.
const QUANTUM: Duration = Duration::from_micros(150);

/// The longest sleep, after which the stop flag is read.
const SLICE: Duration = Duration::from_millis(20);

/// Releases every request of a load, and tells `scheduled` about each.
pub(crate) fn release(
    pacer: &dyn Pacer,
    start: Instant,
    stop: &Stop,
    queue: &Queue,
    mut scheduled: impl FnMut(&[Duration]),
) {
    let mut batch = Vec::new();
    let mut n = 0;
    let mut next = pacer.due(n);
    while let Some(due) = next {
        if !wait_until(start + due, stop) {
            break;
        }
        let now = start.elapsed();
        batch.clear();
        while let Some(due) = next.filter(|due| *due <= now) {
            batch.push(due);
            n += 1;
            next = pacer.due(n);
        }
        scheduled(&batch);
        queue.release(&batch);
        if next.is_some_and(|due| due < now + QUANTUM) {
            // Waking for each request would use a whole core at high rates.
            thread::sleep(QUANTUM.saturating_sub(SLEEP_EXCESS));
        }
    }
    queue.close();
}

/// Waits until a time; false if the load is stopped before.
fn wait_until(due: Instant, stop: &Stop) -> bool {
    loop {
        if stop.is_asked() {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left <= SLEEP_EXCESS {
            break;
        }
        // The purpose of this thread is to wait for an absolute time.
        thread::sleep(left.saturating_sub(SLEEP_EXCESS).min(SLICE));
    }
    // The rest is at most SLEEP_EXCESS, too short for a sleep.
    while Instant::now() < due {
        std::hint::spin_loop();
    }
    true
}
