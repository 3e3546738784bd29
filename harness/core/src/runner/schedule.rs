//! The schedule of a run: what other checks rely on is first, then shared checks in parallel on one stack, then the checks that must be last there.
//! Exclusive checks run at the same time on lanes of their own. Where there are no lanes, they run one by one
//! after the shared ones, and so do checks that occupy what others need. Measurements come last, each without any
//! other check beside it.

use std::cmp::Reverse;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use cutover_reports::record::Outcome;
use cutover_reports::verdict::{Cause, Place, blocked_by};

use crate::catalog::Catalog;
use crate::check::Phase;
use crate::execute::TrialResult;
use crate::runner::{Progress, Session};
use crate::suite::{Case, Reliance};

/// The order of checks, their concurrency, and when to stop.
pub struct Schedule<'a> {
    /// Trials at a time on the shared stack.
    pub jobs: usize,
    /// Exclusive trials at a time, each on a stack of its own. Zero where there is only one system;
    /// exclusive checks then run on it one by one.
    pub lanes: usize,
    /// Checks whose names contain one of these run before all others.
    pub first: &'a [String],
    /// Whether nothing runs beside the check on which others rely.
    pub foundation_alone: bool,
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
    let round = Round::new(session, schedule, progress);
    let admitted = session
        .plan
        .checks
        .iter()
        .filter(|check| check.is_admitted());
    let cases = admitted.filter_map(|check| catalog.case(&check.id));
    let (mut foundations, mut cases): (Vec<_>, Vec<_>) =
        cases.partition(|case| case.check.phase == Phase::Foundation);
    // The first one decides. Those of other suites say the same.
    cases.extend(foundations.split_off(foundations.len().min(1)));
    let (first, others): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| schedule.is_first(case));
    schedule.run(first, |case| drop(round.run(case)));
    let foundation = OnceLock::new();
    let decide = || {
        let broken = foundations.first().and_then(|case| round.look_twice(case));
        round.announce(&others, broken.as_ref());
        // It is decided once.
        let _ = foundation.set(broken);
    };
    let run = |case: &Case| match round.may_be_blocked(case).then(|| foundation.wait()) {
        Some(Some(broken)) if broken.blocks(case) => round.refuse(case, &broken.reason),
        Some(_) | None => drop(round.run(case)),
    };
    thread::scope(|scope| {
        if schedule.foundation_alone {
            decide();
        } else {
            scope.spawn(decide);
        }
        schedule.run(others.clone(), run);
    });
    round.not_started.into_inner()
}

/// Why no document becomes complete.
struct Broken {
    reason: String,
    /// Whether not even a registration is accepted.
    at_registration: bool,
}

impl Broken {
    /// Whether a check cannot say anything because of it.
    fn blocks(&self, case: &Case) -> bool {
        match case.relies_on {
            Reliance::Nothing => false,
            Reliance::Registered => self.at_registration,
            Reliance::Completed => true,
        }
    }
}

/// The state of one round over all checks.
struct Round<'a> {
    session: &'a Session,
    schedule: &'a Schedule<'a>,
    progress: &'a Progress,
    stopped: AtomicBool,
    not_started: AtomicUsize,
}

impl<'a> Round<'a> {
    fn new(session: &'a Session, schedule: &'a Schedule<'a>, progress: &'a Progress) -> Self {
        Self {
            session,
            schedule,
            progress,
            stopped: AtomicBool::new(false),
            not_started: AtomicUsize::new(0),
        }
    }

    /// Runs a check, unless the run is to stop.
    fn run(&self, case: &Case) -> Option<TrialResult> {
        if self.session.interrupt.by().is_some() {
            return None;
        }
        if self.stopped.load(Ordering::Relaxed) {
            self.not_started.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.progress.started(case);
        let trial = self.session.run(case);
        self.stopped
            .fetch_or((self.schedule.stop_after)(case, &trial), Ordering::Relaxed);
        self.progress.finished(case, &trial);
        Some(trial)
    }

    /// Runs a foundation, and once more if it has no pass; the second look begins already while the
    /// first one waits for long. Returns why the checks that rely on it are not tried: it failed twice
    /// for the same cause.
    fn look_twice(&self, case: &Case) -> Option<Broken> {
        let (ended, wait) = mpsc::channel();
        let patience = self.session.patience();
        let [first, second] = thread::scope(|scope| {
            let second = scope.spawn(move || match wait.recv_timeout(patience) {
                // After a failure that ends the run there is nothing to decide.
                Ok(true) if self.stopped.load(Ordering::Relaxed) => None,
                Ok(true) | Err(RecvTimeoutError::Timeout) => self.look(case),
                Ok(false) | Err(RecvTimeoutError::Disconnected) => None,
            });
            let first = self.look(case);
            // A receiver that is gone has begun the second look.
            let _ = ended.send(first.is_some());
            [first, second.join().ok().flatten()]
        });
        let (first, second) = (first?, second?);
        // An interrupted trial proves nothing.
        let is_whole = self.session.interrupt.by().is_none();
        let is_same = (first.place, &first.key) == (second.place, &second.key);
        (is_whole && is_same).then(|| Broken {
            reason: blocked_by(&case.id, &first.text),
            at_registration: first.place == Place::Registration,
        })
    }

    /// Runs a check; returns why it failed or has no result.
    fn look(&self, case: &Case) -> Option<Cause> {
        let trial = self.run(case)?;
        let is_broken = matches!(trial.outcome, Outcome::Failed | Outcome::Errored { .. });
        is_broken.then_some(trial.cause).flatten()
    }

    /// Whether a check may be one that is not tried while no document becomes complete. A check that was named on the
    /// command line is tried.
    fn may_be_blocked(&self, case: &Case) -> bool {
        let is_named = !self.session.plan.selection.filters.is_empty();
        !is_named && case.relies_on != Reliance::Nothing
    }

    /// Prints how many checks are not tried, and why.
    fn announce(&self, cases: &[&Case], broken: Option<&Broken>) {
        if let Some(broken) = broken {
            let is_blocked = |case: &&&Case| self.may_be_blocked(case) && broken.blocks(case);
            let blocked = cases.iter().filter(is_blocked);
            self.progress.blocked(blocked.count(), &broken.reason);
        }
    }

    /// Records that a check is not tried.
    fn refuse(&self, case: &Case, reason: &str) {
        // A check without a journal counts as not run, which is never a GO either.
        if let Err(error) = self.session.refuse(case, reason) {
            self.progress.println(&error.to_string());
        }
    }
}

impl Schedule<'_> {
    fn is_first(&self, case: &Case) -> bool {
        let id = case.id.as_str();
        self.first.iter().any(|name| id.contains(name.as_str()))
    }

    /// Runs every case once and returns when all have ended.
    fn run(&self, cases: Vec<&Case>, run: impl Fn(&Case) + Copy + Sync) {
        let (measurements, others): (Vec<_>, Vec<_>) = longest_first(cases)
            .into_iter()
            .partition(|case| case.check.is_measurement);
        self.run_beside(others, run);
        run_concurrently(&measurements, 1, run);
    }

    /// Runs every case once, beside others, and returns when all have ended.
    fn run_beside(&self, cases: Vec<&Case>, run: impl Fn(&Case) + Copy + Sync) {
        let (alone, shared): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.is_alone());
        let (last, shared): (Vec<_>, Vec<_>) = shared
            .into_iter()
            .partition(|case| case.check.phase == Phase::Last);
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

/// Sorts long checks first, so that none of them runs alone at the end. What need not wait for the
/// foundation precedes the rest.
fn longest_first(mut cases: Vec<&Case>) -> Vec<&Case> {
    let order = |case: &&Case| (case.relies_on, Reverse(case.check.expected_duration));
    cases.sort_by_key(order);
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

    async fn nothing(_: &crate::context::Context) -> cutover_evidence::stop::CheckResult {
        Ok(())
    }

    #[test]
    fn nothing_runs_beside_a_measurement() {
        let check = |name| crate::check::Check::single(name, file!(), line!(), nothing);
        let suite = crate::suite::Suite::new(
            "schedule",
            "the order of checks",
            [
                check("measured").measures(),
                check("measured_alone").measures().alone_with_workers(1),
                check("shared"),
                check("alone").alone_with_workers(1),
                check("last").last(),
            ],
        );
        for lanes in [0, 2] {
            let schedule = Schedule {
                jobs: 4,
                lanes,
                first: &[],
                foundation_alone: false,
                stop_after: &|_, _| false,
            };
            let (running, order) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
            schedule.run(suite.cases().iter().collect(), |case| {
                let others = running.fetch_add(1, Ordering::SeqCst);
                assert!(others == 0 || !case.check.is_measurement, "{}", case.id);
                order.lock().unwrap().push(case.check.is_measurement);
                running.fetch_sub(1, Ordering::SeqCst);
            });
            let order = order.into_inner().unwrap();
            assert_eq!(order, [false, false, false, true, true], "{lanes} lanes");
        }
    }

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
