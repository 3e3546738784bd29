//! A constant rate.

use std::time::Duration;

use super::{Pacer, PacerError, error};

/// A constant rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    per_second: f64,
    duration: Duration,
}

impl Constant {
    /// A rate in requests per second, for a duration.
    pub fn new(per_second: f64, duration: Duration) -> Result<Self, PacerError> {
        Ok(Self {
            per_second: error::rate(per_second)?,
            duration: error::duration(duration)?,
        })
    }
}

impl Pacer for Constant {
    fn due(&self, n: u64) -> Option<Duration> {
        before(self.duration, exact(n) / self.per_second)
    }
}

/// A time in seconds, if it is before the end.
pub(super) fn before(end: Duration, seconds: f64) -> Option<Duration> {
    let due = Duration::try_from_secs_f64(seconds).ok()?;
    (due < end).then_some(due)
}

/// Converts a count to `f64`, exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
pub(crate) fn exact(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_spaces_requests_evenly() {
        let pacer = Constant::new(4.0, Duration::from_secs(2)).unwrap();
        let expected: Vec<_> = (0..8).map(|n| Duration::from_millis(n * 250)).collect();
        assert_eq!(pacer.schedule(), expected);
    }
}
