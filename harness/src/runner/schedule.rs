//! Scheduling: shared checks side by side on one stack, then those that look at what all of them left;
//! exclusive ones meanwhile, each on a lane of its own.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::catalog::Catalog;
use crate::runner::{Progress, Session};
use crate::suite::Case;

/// How many threads of each kind run trials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width {
    /// Trials at a time on the shared stack.
    pub(crate) jobs: usize,
    /// Trials at a time with a stack of their own.
    pub(crate) lanes: usize,
}

/// Runs every admitted check of the session's plan once.
pub(crate) fn run_all(session: &Session, catalog: &Catalog, width: Width, progress: &Progress) {
    let admitted = session
        .plan
        .checks
        .iter()
        .filter(|check| check.is_admitted());
    let cases = admitted.filter_map(|check| catalog.case(&check.id));
    let (alone, shared): (Vec<_>, Vec<_>) = cases.partition(|case| case.is_alone());
    let [alone, shared] = [alone, shared].map(longest_first);
    let (last, together): (Vec<_>, Vec<_>) = shared.into_iter().partition(|case| case.check.last);
    let run = |case: &Case| {
        if session.interrupt.by().is_none() {
            progress.started(case);
            progress.finished(case, &session.run(case));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| side_by_side(&alone, width.lanes, run));
        side_by_side(&together, width.jobs, run);
        side_by_side(&last, width.jobs, run);
    });
}

/// What takes long begins first, so that nothing is waited for alone at the end.
fn longest_first(mut cases: Vec<&Case>) -> Vec<&Case> {
    cases.sort_by_key(|case| Reverse(case.check.takes));
    cases
}

/// Takes every item from the front, so many at a time, and returns when all are done.
fn side_by_side<T: Copy + Sync>(items: &[T], at_a_time: usize, work: impl Fn(T) + Sync) {
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..at_a_time.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(taken.fetch_add(1, Ordering::Relaxed)) {
                    work(*item);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_item_is_done_once_before_it_returns() {
        let items: Vec<_> = (0..100).collect();
        for at_a_time in [1, 7, 200] {
            let done = Mutex::new(Vec::new());
            side_by_side(&items, at_a_time, |item| done.lock().unwrap().push(item));
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            assert_eq!(done, items);
        }
    }
}
