//! Why a pacer cannot be built.

use std::time::Duration;

/// A load that no pacer can produce.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PacerError {
    /// The rate is zero, negative, infinite or not a number.
    #[error("use a rate of {0} requests per second; it must be a positive finite number")]
    Rate(f64),
    /// The load has no duration.
    #[error("use a duration of zero; it must be positive")]
    Duration,
    /// A step load has no stage.
    #[error("use a step load without a stage")]
    NoStage,
    /// A shard does not exist.
    #[error("use shard {index} of {of}; the index must be less than the number of shards")]
    Shard {
        /// The index, from 0.
        index: u64,
        /// The number of shards.
        of: u64,
    },
    /// A trace is not in order.
    #[error("replay a trace in which {later:?} comes before {earlier:?}")]
    Order {
        /// The time that comes too early in the trace.
        later: Duration,
        /// The smaller time after it.
        earlier: Duration,
    },
}

/// Checks a rate, in requests per second.
pub(super) fn rate(per_second: f64) -> Result<f64, PacerError> {
    let is_valid = per_second.is_finite() && per_second > 0.0;
    is_valid
        .then_some(per_second)
        .ok_or(PacerError::Rate(per_second))
}

/// Checks the duration of a load.
pub(super) fn duration(duration: Duration) -> Result<Duration, PacerError> {
    let is_valid = !duration.is_zero();
    is_valid.then_some(duration).ok_or(PacerError::Duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacer::{Constant, Ramp, Replay, Shard, Step, poisson};

    #[test]
    fn an_impossible_rate_or_duration_is_an_error() {
        let second = Duration::from_secs(1);
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Constant::new(bad, second).is_err());
            assert!(Ramp::new(bad, 1.0, second).is_err());
            assert!(Ramp::new(1.0, bad, second).is_err());
            assert!(Step::new(&[(bad, second)]).is_err());
            assert!(poisson(bad, second, 1).is_err());
        }
        let zero = Duration::ZERO;
        assert_eq!(Constant::new(1.0, zero), Err(PacerError::Duration));
        assert_eq!(Ramp::new(1.0, 2.0, zero), Err(PacerError::Duration));
        assert_eq!(Step::new(&[(1.0, zero)]), Err(PacerError::Duration));
        assert_eq!(Step::new(&[]), Err(PacerError::NoStage));
        assert!(poisson(1.0, zero, 1).is_err());
        assert!(Shard::new(2, 2).is_err());
        assert!(Shard::new(0, 0).is_err());
        assert!(Replay::new([second, zero]).is_err());
    }
}
