//! Run limits: stop a run on an attached target when a budget is used up or the target keeps failing.

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

/// Counts what a run does to a target, and stops the run at a limit.
#[derive(Debug)]
pub(crate) struct RunLimits {
    limits: SafetySettings,
    requests: AtomicU64,
    bytes: AtomicU64,
    documents: AtomicU64,
    /// What each job has cost so far, in cents.
    spent: Mutex<BTreeMap<Uuid, f64>>,
    failures: AtomicU64,
    rate_limiter: Option<RateLimiter>,
    interrupt: Interrupt,
}

/// Spreads requests evenly: each waits for its time slot.
#[derive(Debug)]
struct RateLimiter {
    interval: Duration,
    next: Mutex<Instant>,
}

impl RateLimiter {
    fn new(per_second: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(per_second.recip()),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Reserves the next time slot for a request.
    fn next_slot(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Unused slots are not saved up: that would allow a burst.
        let slot = Instant::now().max(*next);
        *next = slot + self.interval;
        slot
    }
}

impl RunLimits {
    /// Limits with these settings; requests are paced where a rate is given.
    pub(crate) fn new(
        limits: &SafetySettings,
        per_second: Option<f64>,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            rate_limiter: per_second.map(RateLimiter::new),
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
            self.interrupt.ask("the request limit ([safety] requests)");
        }
        let bytes = bytes as u64;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.limits.bytes {
            self.interrupt.ask("the byte limit ([safety] bytes)");
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
            if let Some(limiter) = &self.rate_limiter {
                tokio::time::sleep_until(limiter.next_slot()).await;
            }
            self.count(bytes);
        })
    }

    fn document(&self) {
        if self.documents.fetch_add(1, Ordering::Relaxed) >= self.limits.documents {
            self.interrupt
                .ask("the document limit ([safety] documents)");
        }
    }

    fn spent(&self, job: Uuid, cents: f64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = spent.entry(job).or_default();
        *cost = cost.max(cents);
        if spent.values().sum::<f64>() > self.limits.spend_cents {
            self.interrupt
                .ask("the limit of provider costs ([safety] spend_cents)");
        }
    }

    fn answered(&self, status: Option<u16>) {
        if status.is_some_and(|status| status < 500) {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.limits.failures_in_a_row
        {
            self.interrupt
                .ask("the circuit breaker: the target keeps failing ([safety] failures_in_a_row)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut SafetySettings)) -> (RunLimits, Interrupt) {
        let interrupt = Interrupt::new();
        let mut limits = SafetySettings::default();
        change(&mut limits);
        (RunLimits::new(&limits, None, interrupt.clone()), interrupt)
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_evenly_spread_and_unused_slots_are_lost() {
        let limits = SafetySettings::default();
        let run = RunLimits::new(&limits, Some(10.0), Interrupt::new());
        tokio::time::sleep(Duration::from_mins(1)).await;
        let began = Instant::now();
        for _ in 0..11 {
            run.admit(0).await;
        }
        // The paused clock of a test has a resolution of one millisecond.
        let took = began.elapsed().as_millis();
        assert!((1_000..=1_011).contains(&took), "{took} ms");
    }

    #[tokio::test]
    async fn a_run_stops_when_a_limit_is_exceeded() {
        let (run, interrupt) = limits(|limits| limits.requests = 2);
        run.admit(0).await;
        run.admit(0).await;
        assert_eq!(interrupt.by(), None);
        run.admit(0).await;
        assert!(interrupt.by().unwrap().contains("requests"));
    }

    #[tokio::test]
    async fn bytes_and_costs_have_limits_of_their_own() {
        let (run, interrupt) = limits(|limits| limits.bytes = 10);
        run.admit(10).await;
        assert_eq!(interrupt.by(), None);
        run.admit(1).await;
        assert!(interrupt.by().unwrap().contains("bytes"));

        let (run, interrupt) = limits(|limits| limits.spend_cents = 5.0);
        let [one, other] = [1, 2].map(Uuid::from_u128);
        // The cost of a job is a running total, so a repeated report adds nothing.
        for (job, cents) in [(one, 1.0), (one, 3.0), (one, 3.0), (other, 2.0)] {
            run.spent(job, cents);
        }
        assert_eq!(interrupt.by(), None);
        run.spent(other, 2.5);
        assert!(interrupt.by().unwrap().contains("costs"));
    }

    #[test]
    fn failures_in_a_row_stop_a_run_and_a_success_resets_their_number() {
        let (run, interrupt) = limits(|limits| limits.failures_in_a_row = 3);
        for status in [Some(500), None, Some(200), Some(503), None] {
            run.answered(status);
        }
        assert_eq!(interrupt.by(), None);
        run.answered(Some(500));
        assert!(interrupt.by().unwrap().contains("breaker"));
    }

    #[tokio::test]
    async fn the_kill_switch_file_stops_a_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stop");
        let (run, interrupt) = limits(|limits| limits.kill_switch = Some(file.clone()));
        run.admit(0).await;
        assert_eq!(interrupt.by(), None);
        std::fs::write(&file, "").unwrap();
        run.admit(0).await;
        assert!(interrupt.by().unwrap().contains("kill switch"));
    }
}
