//! Scheduling: shared checks side by side on one stack, exclusive ones each on a lane of its own.

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
    let (alone, together): (Vec<_>, Vec<_>) = cases.partition(|case| case.is_alone());
    let (alone, together) = (Queue::new(alone), Queue::new(together));
    thread::scope(|scope| {
        for queue in [(&alone, width.lanes), (&together, width.jobs)]
            .into_iter()
            .flat_map(|(queue, threads)| std::iter::repeat_n(queue, threads.min(queue.len())))
        {
            scope.spawn(move || {
                while session.interrupt.by().is_none()
                    && let Some(case) = queue.next()
                {
                    progress.started(case);
                    progress.finished(case, &session.run(case));
                }
            });
        }
    });
}

/// Cases that several threads take from the front.
struct Queue<'a> {
    cases: Vec<&'a Case>,
    taken: AtomicUsize,
}

impl<'a> Queue<'a> {
    fn new(cases: Vec<&'a Case>) -> Self {
        Self {
            cases,
            taken: AtomicUsize::new(0),
        }
    }

    fn len(&self) -> usize {
        self.cases.len()
    }

    fn next(&self) -> Option<&'a Case> {
        self.cases
            .get(self.taken.fetch_add(1, Ordering::Relaxed))
            .copied()
    }
}
