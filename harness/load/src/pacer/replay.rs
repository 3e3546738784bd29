//! A trace of times that is replayed.

use std::time::Duration;

use super::{Pacer, PacerError};

/// Requests at given times, such as those of a recorded log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    nanoseconds: Vec<u64>,
}

impl Replay {
    /// The times since the start, in order.
    pub fn new(times: impl IntoIterator<Item = Duration>) -> Result<Self, PacerError> {
        let mut last = Duration::ZERO;
        let mut nanoseconds = Vec::new();
        for due in times {
            if due < last {
                return Err(PacerError::Order {
                    later: last,
                    earlier: due,
                });
            }
            last = due;
            nanoseconds.push(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(Self { nanoseconds })
    }
}

impl Pacer for Replay {
    fn due(&self, n: u64) -> Option<Duration> {
        let due = self.nanoseconds.get(usize::try_from(n).ok()?)?;
        Some(Duration::from_nanos(*due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_replayed_as_it_is() {
        let times = [1, 1, 5, 9].map(Duration::from_millis);
        assert_eq!(Replay::new(times).unwrap().schedule(), times);
    }
}
