//! Arrivals that do not depend on each other.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{PacerError, Replay, error};

/// A Poisson process: the gaps between requests are exponentially distributed. The same seed gives the
/// same times.
pub fn poisson(per_second: f64, duration: Duration, seed: u64) -> Result<Replay, PacerError> {
    let rate = error::rate(per_second)?;
    let end = error::duration(duration)?.as_secs_f64();
    let mut generator = StdRng::seed_from_u64(seed);
    let mut at = 0.0;
    let times = std::iter::from_fn(|| {
        // The random number may be 0 and is less than 1, so the logarithm is finite.
        let uniform: f64 = generator.random();
        at += -(1.0 - uniform).ln() / rate;
        (at < end).then(|| Duration::from_secs_f64(at))
    });
    Replay::new(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacer::Pacer as _;

    #[test]
    fn a_poisson_process_has_its_rate_and_exponential_gaps() {
        let times = poisson(1_000.0, Duration::from_secs(20), 7).unwrap();
        let times = times.schedule();
        // The standard deviation of the count is 141.
        assert!((19_300..20_700).contains(&times.len()), "{}", times.len());
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let short = gaps.filter(|gap| *gap < Duration::from_millis(1)).count();
        // 1 − 1/e of the gaps are shorter than the mean.
        assert!(
            (12_100..13_200).contains(&short),
            "{short} of {}",
            times.len()
        );
    }

    #[test]
    fn the_seed_determines_the_times() {
        let times = |seed| poisson(100.0, Duration::from_secs(1), seed).unwrap();
        assert_eq!(times(3), times(3));
        assert_ne!(times(3), times(4));
    }
}
