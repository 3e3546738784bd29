//! The loads of a check: which of them run at the same time.

use std::sync::{Mutex, PoisonError};

/// The number of a load of a check, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoadNumber(u64);

/// Counts the loads of a check.
#[derive(Debug, Default)]
pub(crate) struct Loads(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    started: u64,
    running: u64,
}

impl Loads {
    /// Counts a load that begins; its number, and whether no other one is running.
    pub(crate) fn begin(&self) -> (LoadNumber, bool) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.started += 1;
        count.running += 1;
        (LoadNumber(count.started), count.running == 1)
    }

    /// Counts a load that has ended; whether no other one is running or has begun since.
    pub(crate) fn end(&self, number: LoadNumber) -> bool {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.running = count.running.saturating_sub(1);
        count.running == 0 && count.started == number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_beside_another_one_is_not_alone() {
        let loads = Loads::default();
        let (first, is_first) = loads.begin();
        assert!(is_first && loads.end(first));
        let (second, is_first) = loads.begin();
        assert!(is_first);
        let (third, is_first) = loads.begin();
        assert!(!is_first);
        assert!(!loads.end(third));
        assert!(!loads.end(second));
    }
}
