//! The brake: ends a run on a target that is not ours before it does harm.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use cutover_contract::probe::RequestGate;
use cutover_evidence::interrupt::Interrupt;
use futures::future::BoxFuture;

use super::settings::SafetySettings;

/// Counts what a run does to a target, and ends it when that is enough.
#[derive(Debug)]
pub(crate) struct RunLimits {
    limits: SafetySettings,
    requests: AtomicU64,
    bytes: AtomicU64,
    documents: AtomicU64,
    /// What each job has cost so far, in cents.
    spent: Mutex<BTreeMap<Uuid, f64>>,
    failures: AtomicU64,
    pace: Option<RateLimiter>,
    interrupt: Interrupt,
}

/// Spreads requests evenly: each waits for its turn.
#[derive(Debug)]
struct RateLimiter {
    interval: Duration,
    next: Mutex<Instant>,
}

impl RateLimiter {
    fn of(per_second: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(per_second.recip()),
            next: Mutex::new(Instant::now()),
        }
    }

    /// When the next request may be sent.
    fn turn(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Turns that nobody took are not saved up: that would be a burst.
        let turn = Instant::now().max(*next);
        *next = turn + self.interval;
        turn
    }
}

impl RunLimits {
    /// A brake with these limits; requests are spread where there is a rate for them.
    pub(crate) fn new(
        limits: &SafetySettings,
        per_second: Option<f64>,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            pace: per_second.map(RateLimiter::of),
            limits: limits.clone(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            spent: Mutex::default(),
            documents: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            interrupt,
        }
    }

    /// Counts a request with a body of this many bytes.
    fn count(&self, bytes: usize) {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.limits.requests {
            self.interrupt
                .ask("the budget of requests ([safety] requests)");
        }
        let bytes = bytes as u64;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.limits.bytes {
            self.interrupt.ask("the budget of bytes ([safety] bytes)");
        }
        if self
            .limits
            .kill_switch
            .as_ref()
            .is_some_and(|file| file.exists())
        {
            self.interrupt.ask("the kill switch ([safety] kill_switch)");
        }
    }
}

impl RequestGate for RunLimits {
    fn admit(&self, bytes: usize) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(pace) = &self.pace {
                tokio::time::sleep_until(pace.turn()).await;
            }
            self.count(bytes);
        })
    }

    fn document(&self) {
        if self.documents.fetch_add(1, Ordering::Relaxed) >= self.limits.documents {
            self.interrupt
                .ask("the budget of documents ([safety] documents)");
        }
    }

    fn spent(&self, job: Uuid, cents: f64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = spent.entry(job).or_default();
        *cost = cost.max(cents);
        if spent.values().sum::<f64>() > self.limits.spend_cents {
            self.interrupt
                .ask("the budget of provider costs ([safety] spend_cents)");
        }
    }

    fn answered(&self, status: Option<u16>) {
        if status.is_some_and(|status| status < 500) {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.limits.failures_in_a_row
        {
            self.interrupt
                .ask("the breaker: the target fails again and again ([safety] failures_in_a_row)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brake(change: impl FnOnce(&mut SafetySettings)) -> (RunLimits, Interrupt) {
        let interrupt = Interrupt::new();
        let mut limits = SafetySettings::default();
        change(&mut limits);
        (RunLimits::new(&limits, None, interrupt.clone()), interrupt)
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_their_turn_and_save_up_none() {
        let limits = SafetySettings::default();
        let brake = RunLimits::new(&limits, Some(10.0), Interrupt::new());
        tokio::time::sleep(Duration::from_mins(1)).await;
        let began = Instant::now();
        for _ in 0..11 {
            brake.admit(0).await;
        }
        // The clock of a paused test has a grain of a millisecond.
        let took = began.elapsed().as_millis();
        assert!((1_000..=1_011).contains(&took), "{took} ms");
    }

    #[tokio::test]
    async fn a_budget_ends_a_run_when_it_is_used_up() {
        let (brake, interrupt) = brake(|limits| limits.requests = 2);
        brake.admit(0).await;
        brake.admit(0).await;
        assert_eq!(interrupt.by(), None);
        brake.admit(0).await;
        assert!(interrupt.by().unwrap().contains("requests"));
    }

    #[tokio::test]
    async fn bytes_and_costs_have_budgets_of_their_own() {
        let (limited, interrupt) = brake(|limits| limits.bytes = 10);
        limited.admit(10).await;
        assert_eq!(interrupt.by(), None);
        limited.admit(1).await;
        assert!(interrupt.by().unwrap().contains("bytes"));

        let (limited, interrupt) = brake(|limits| limits.spend_cents = 5.0);
        let [one, other] = [1, 2].map(Uuid::from_u128);
        // A job that is looked at again has not cost more.
        for (job, cents) in [(one, 1.0), (one, 3.0), (one, 3.0), (other, 2.0)] {
            limited.spent(job, cents);
        }
        assert_eq!(interrupt.by(), None);
        limited.spent(other, 2.5);
        assert!(interrupt.by().unwrap().contains("costs"));
    }

    #[test]
    fn a_target_that_fails_in_a_row_is_left_alone_and_one_that_recovers_is_not() {
        let (brake, interrupt) = brake(|limits| limits.failures_in_a_row = 3);
        for status in [Some(500), None, Some(200), Some(503), None] {
            brake.answered(status);
        }
        assert_eq!(interrupt.by(), None);
        brake.answered(Some(500));
        assert!(interrupt.by().unwrap().contains("breaker"));
    }

    #[tokio::test]
    async fn a_file_that_appears_ends_a_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stop");
        let (brake, interrupt) = brake(|limits| limits.kill_switch = Some(file.clone()));
        brake.admit(0).await;
        assert_eq!(interrupt.by(), None);
        std::fs::write(&file, "").unwrap();
        brake.admit(0).await;
        assert!(interrupt.by().unwrap().contains("kill switch"));
    }
}
