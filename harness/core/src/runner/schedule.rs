//! Scheduling: shared checks side by side on one stack, then those that look at what all of them left;
//! exclusive ones meanwhile, each on a lane of its own, or in between where there are no lanes.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::catalog::Catalog;
use crate::execute::TrialResult;
use crate::runner::{Progress, Session};
use crate::suite::Case;

/// In which order checks run, how many at a time, and how far.
pub struct Schedule<'a> {
    /// Trials at a time on the shared stack.
    pub jobs: usize,
    /// Trials at a time with a stack of their own; none where there is but one system, on which
    /// exclusive checks run one by one.
    pub lanes: usize,
    /// Checks whose names contain one of these run before all others.
    pub first: &'a [String],
    /// Whether no more checks begin after one that ended like this.
    pub stop_after: &'a (dyn Fn(&Case, &TrialResult) -> bool + Sync),
}

/// Runs every admitted check of the session's plan once; gives how many did not begin
/// because the course was over.
pub fn run_all(
    session: &Session,
    catalog: &Catalog,
    course: &Schedule<'_>,
    progress: &Progress,
) -> usize {
    let admitted = session
        .plan
        .checks
        .iter()
        .filter(|check| check.is_admitted());
    let cases = admitted.filter_map(|check| catalog.case(&check.id));
    let (first, others): (Vec<_>, Vec<_>) = cases.partition(|case| course.begins_with(case));
    let (over, left_out) = (AtomicBool::new(false), AtomicUsize::new(0));
    let run = |case: &Case| {
        if session.interrupt.by().is_some() {
            return;
        }
        if over.load(Ordering::Relaxed) {
            left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        progress.started(case);
        let executed = session.run(case);
        over.fetch_or((course.stop_after)(case, &executed), Ordering::Relaxed);
        progress.finished(case, &executed);
    };
    for phase in [first, others] {
        course.run(phase, run);
    }
    left_out.into_inner()
}

impl Schedule<'_> {
    fn begins_with(&self, case: &Case) -> bool {
        let id = case.id.as_str();
        self.first.iter().any(|name| id.contains(name.as_str()))
    }

    /// Runs every case once and returns when all are done.
    fn run(&self, cases: Vec<&Case>, run: impl Fn(&Case) + Copy + Sync) {
        let (alone, shared): (Vec<_>, Vec<_>) = longest_first(cases)
            .into_iter()
            .partition(|case| case.is_alone());
        let (last, together): (Vec<_>, Vec<_>) =
            shared.into_iter().partition(|case| case.check.last);
        thread::scope(|scope| {
            if self.lanes > 0 {
                scope.spawn(|| side_by_side(&alone, self.lanes, run));
            }
            side_by_side(&together, self.jobs, run);
            if self.lanes == 0 {
                side_by_side(&alone, 1, run);
            }
            side_by_side(&last, self.jobs, run);
        });
    }
}

/// What takes long begins first, so that nothing is waited for alone at the end.
fn longest_first(mut cases: Vec<&Case>) -> Vec<&Case> {
    cases.sort_by_key(|case| Reverse(case.check.expected_duration));
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
