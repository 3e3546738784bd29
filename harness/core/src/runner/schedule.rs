//! The schedule of a run: shared checks in parallel on one stack, then the checks that must be last there.
//! Exclusive checks run at the same time on lanes of their own. Where there are no lanes, they run one by one
//! after the shared ones, and so do checks that occupy what others need.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::catalog::Catalog;
use crate::execute::TrialResult;
use crate::runner::{Progress, Session};
use crate::suite::Case;

/// The order of checks, their concurrency, and when to stop.
pub struct Schedule<'a> {
    /// Trials at a time on the shared stack.
    pub jobs: usize,
    /// Exclusive trials at a time, each on a stack of its own. Zero where there is only one system;
    /// exclusive checks then run on it one by one.
    pub lanes: usize,
    /// Checks whose names contain one of these run before all others.
    pub first: &'a [String],
    /// Whether no more checks start after this result.
    pub stop_after: &'a (dyn Fn(&Case, &TrialResult) -> bool + Sync),
}

/// Runs every admitted check of the session's plan once. Returns how many did not start
/// because the schedule had stopped.
pub fn run_all(
    session: &Session,
    catalog: &Catalog,
    schedule: &Schedule<'_>,
    progress: &Progress,
) -> usize {
    let admitted = session
        .plan
        .checks
        .iter()
        .filter(|check| check.is_admitted());
    let cases = admitted.filter_map(|check| catalog.case(&check.id));
    let (first, others): (Vec<_>, Vec<_>) = cases.partition(|case| schedule.is_first(case));
    let (stopped, not_started) = (AtomicBool::new(false), AtomicUsize::new(0));
    let run = |case: &Case| {
        if session.interrupt.by().is_some() {
            return;
        }
        if stopped.load(Ordering::Relaxed) {
            not_started.fetch_add(1, Ordering::Relaxed);
            return;
        }
        progress.started(case);
        let trial = session.run(case);
        stopped.fetch_or((schedule.stop_after)(case, &trial), Ordering::Relaxed);
        progress.finished(case, &trial);
    };
    for phase in [first, others] {
        schedule.run(phase, run);
    }
    not_started.into_inner()
}

impl Schedule<'_> {
    fn is_first(&self, case: &Case) -> bool {
        let id = case.id.as_str();
        self.first.iter().any(|name| id.contains(name.as_str()))
    }

    /// Runs every case once and returns when all have ended.
    fn run(&self, cases: Vec<&Case>, run: impl Fn(&Case) + Copy + Sync) {
        let (alone, shared): (Vec<_>, Vec<_>) = longest_first(cases)
            .into_iter()
            .partition(|case| case.is_alone());
        let (last, shared): (Vec<_>, Vec<_>) = shared.into_iter().partition(|case| case.check.last);
        // A stack of ours has enough workers. How many an attached target has is not known.
        let occupies = |case: &&Case| self.lanes == 0 && !case.check.occupies.is_empty();
        let (occupying, together): (Vec<_>, Vec<_>) = shared.into_iter().partition(occupies);
        thread::scope(|scope| {
            if self.lanes > 0 {
                scope.spawn(|| run_concurrently(&alone, self.lanes, run));
            }
            run_concurrently(&together, self.jobs, run);
            if self.lanes == 0 {
                run_concurrently(&alone, 1, run);
                run_concurrently(&occupying, 1, run);
            }
            run_concurrently(&last, self.jobs, run);
        });
    }
}

/// Sorts long checks first, so that none of them runs alone at the end.
fn longest_first(mut cases: Vec<&Case>) -> Vec<&Case> {
    cases.sort_by_key(|case| Reverse(case.check.expected_duration));
    cases
}

/// Works on all items in order, with limited concurrency, and returns when all are done.
fn run_concurrently<T: Copy + Sync>(items: &[T], limit: usize, work: impl Fn(T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..limit.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
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
    fn every_item_is_done_once() {
        let items: Vec<_> = (0..100).collect();
        for limit in [1, 7, 200] {
            let done = Mutex::new(Vec::new());
            run_concurrently(&items, limit, |item| done.lock().unwrap().push(item));
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            assert_eq!(done, items);
        }
    }
}
