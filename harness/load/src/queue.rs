//! The queue between the thread that releases requests and the workers that send them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// The requests that are due and not yet sent, by the time at which they were due.
#[derive(Debug)]
pub(crate) struct Queue {
    due: Mutex<VecDeque<Duration>>,
    /// One permit for each request in the queue. It is closed after the last request.
    waiting: Semaphore,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            due: Mutex::default(),
            waiting: Semaphore::new(0),
        }
    }

    /// Adds requests.
    pub(crate) fn release(&self, due: &[Duration]) {
        self.lock().extend(due);
        self.waiting.add_permits(due.len());
    }

    /// No request follows.
    pub(crate) fn close(&self) {
        self.waiting.close();
    }

    /// Waits for the next request; `None` after the last.
    pub(crate) async fn next(&self) -> Option<Duration> {
        // After the end there are no permits, and the rest is taken without them.
        if let Ok(permit) = self.waiting.acquire().await {
            permit.forget();
        }
        self.lock().pop_front()
    }

    /// Takes everything that has not been sent.
    pub(crate) fn drain(&self) -> VecDeque<Duration> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Duration>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
