//! The brake: ends a run on a target that is not ours before it does harm.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::runner::Interrupt;
use crate::target::SafetySettings;

/// Counts what a run does to a target, and ends it when that is enough.
#[derive(Debug)]
pub(crate) struct Brake {
    limits: SafetySettings,
    requests: AtomicU64,
    documents: AtomicU64,
    failures: AtomicU64,
    interrupt: Interrupt,
}

impl Brake {
    pub(crate) fn new(limits: &SafetySettings, interrupt: Interrupt) -> Self {
        Self {
            limits: limits.clone(),
            requests: AtomicU64::new(0),
            documents: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            interrupt,
        }
    }

    /// A request is about to be sent.
    pub(crate) fn request(&self) {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.limits.requests {
            self.interrupt
                .ask("the budget of requests ([safety] requests)");
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

    /// A document is about to be uploaded.
    pub(crate) fn document(&self) {
        if self.documents.fetch_add(1, Ordering::Relaxed) >= self.limits.documents {
            self.interrupt
                .ask("the budget of documents ([safety] documents)");
        }
    }

    /// A request was answered, or not.
    pub(crate) fn answered(&self, status: Option<u16>) {
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

    fn brake(change: impl FnOnce(&mut SafetySettings)) -> (Brake, Interrupt) {
        let interrupt = Interrupt::new();
        let mut limits = SafetySettings::default();
        change(&mut limits);
        (Brake::new(&limits, interrupt.clone()), interrupt)
    }

    #[test]
    fn a_budget_ends_a_run_when_it_is_used_up() {
        let (brake, interrupt) = brake(|limits| limits.requests = 2);
        brake.request();
        brake.request();
        assert_eq!(interrupt.by(), None);
        brake.request();
        assert!(interrupt.by().unwrap().contains("requests"));
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

    #[test]
    fn a_file_that_appears_ends_a_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stop");
        let (brake, interrupt) = brake(|limits| limits.kill_switch = Some(file.clone()));
        brake.request();
        assert_eq!(interrupt.by(), None);
        std::fs::write(&file, "").unwrap();
        brake.request();
        assert!(interrupt.by().unwrap().contains("kill switch"));
    }
}
