//! The smallest effect that a comparison detects with a given number of runs, and the number of runs that it needs.

use crate::holm::count;
use crate::mann_whitney::{MOST, attainable};

/// The efficiency of the test of Mann and Whitney, and of the estimate of Hodges and Lehmann,
/// relative to those of means, for normal values: 3/π.
const EFFICIENCY: f64 = 0.955;

/// The normal quantile of a power of 85 %. A power of 80 % is promised; the rest is for the spread, which
/// is an estimate, too.
const POWER: f64 = 1.036_433_389_493_79;

/// The normal quantile of each end of the interval.
const INTERVAL: f64 = 1.644_853_626_951_473;

/// The fewest runs of a side from which an interval is computed.
const LEAST: usize = 4;

/// The numbers of runs of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) baseline: usize,
    pub(crate) candidate: usize,
}

/// How a comparison is made, apart from the numbers of runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Design {
    /// The standard deviation of the logarithms of one side's values.
    pub(crate) spread: f64,
    /// The effect that a regression must exceed.
    pub(crate) floor: f64,
    /// The probability below which a test fails, corrected for the number of tests.
    pub(crate) alpha: f64,
}

impl Runs {
    /// With at least this many on each side.
    fn at_least(self, runs: usize) -> Self {
        Self {
            baseline: self.baseline.max(runs),
            candidate: self.candidate.max(runs),
        }
    }

    /// The fewest runs that allow a decision: with fewer, no test can fail, or nothing is known about how
    /// much the runs of a side differ.
    pub(crate) fn fewest(self, alpha: f64) -> Option<Self> {
        let mut candidates = (LEAST..=MOST).map(|runs| self.at_least(runs));
        candidates.find(|runs| attainable(runs.baseline, runs.candidate, alpha).is_some())
    }
}

impl Design {
    /// The standard error of the estimated logarithm of the ratio.
    fn error(&self, runs: Runs) -> f64 {
        let inverse = 1.0 / count(runs.baseline) + 1.0 / count(runs.candidate);
        self.spread * (inverse / EFFICIENCY).sqrt()
    }

    /// The logarithm of the ratio that an estimate must reach to fail; `None` with too few runs.
    fn critical(&self, runs: Runs) -> Option<f64> {
        if runs.at_least(LEAST) != runs {
            return None;
        }
        let alpha = attainable(runs.baseline, runs.candidate, self.alpha)?;
        let quantile = student(-normal_quantile(alpha), runs);
        Some((quantile * self.error(runs)).max(self.floor.ln_1p()))
    }

    /// The smallest effect that fails with a probability of 80 %; `None` with too few runs.
    pub(crate) fn detectable(&self, runs: Runs) -> Option<f64> {
        let critical = self.critical(runs)?;
        Some((critical + student(POWER, runs) * self.error(runs)).exp_m1())
    }

    /// The fewest runs with which this estimated ratio would be a pass or a failure; `None` if even
    /// the most do not suffice.
    pub(crate) fn sufficient(&self, runs: Runs, ratio: f64) -> Option<Runs> {
        let estimate = ratio.ln();
        let first = runs.baseline.min(runs.candidate) + 1;
        let mut candidates = (first..=MOST).map(|least| runs.at_least(least));
        candidates.find(|runs| {
            let highest = estimate + INTERVAL * self.error(*runs);
            let fails = self.critical(*runs).is_some_and(|least| estimate > least);
            fails || highest <= self.floor.ln_1p()
        })
    }
}

/// The quantile of Student's distribution for a normal quantile, by the expansion of Cornish and Fisher.
fn student(normal: f64, runs: Runs) -> f64 {
    let freedom = count((runs.baseline + runs.candidate).saturating_sub(2).max(1));
    let (cube, fifth) = (normal.powi(3), normal.powi(5));
    normal
        + (cube + normal) / (4.0 * freedom)
        + (5.0 * fifth + 16.0 * cube + 3.0 * normal) / (96.0 * freedom.powi(2))
}

/// The normal quantile of a probability up to one half, with an error below 0.0005: formula 26.2.23 of
/// Abramowitz and Stegun.
fn normal_quantile(probability: f64) -> f64 {
    let root = (-2.0 * probability.clamp(1e-300, 0.5).ln()).sqrt();
    let above = 2.515_517 + 0.802_853 * root + 0.010_328 * root.powi(2);
    let below = 1.0 + 1.432_788 * root + 0.189_269 * root.powi(2) + 0.001_308 * root.powi(3);
    above / below - root
}

/// The standard deviation of logarithms around the mean of their side, over both sides; 0 where there is
/// nothing to compute it from.
pub(crate) fn spread(sides: [&[f64]; 2]) -> f64 {
    let mut squares = 0.0;
    let mut freedom = 0;
    for side in sides {
        let logarithms = side
            .iter()
            .filter(|value| **value > 0.0)
            .map(|value| value.ln());
        let logarithms: Vec<f64> = logarithms.collect();
        let mean = logarithms.iter().sum::<f64>() / count(logarithms.len().max(1));
        squares += logarithms
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        freedom += logarithms.len().saturating_sub(1);
    }
    (squares / count(freedom.max(1))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(baseline: usize, candidate: usize) -> Runs {
        Runs {
            baseline,
            candidate,
        }
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        for (probability, expected) in [(0.5, 0.0), (0.05, -1.6449), (0.001, -3.0902)] {
            let quantile = normal_quantile(probability);
            assert!((quantile - expected).abs() < 5e-4, "{quantile}");
        }
        // The quantile of Student's distribution for 95 % and 14 degrees of freedom.
        assert!((student(1.6449, runs(8, 8)) - 1.7613).abs() < 1e-3);
    }

    #[test]
    fn more_gates_need_more_runs() {
        assert_eq!(runs(1, 1).fewest(0.05), Some(runs(4, 4)));
        assert_eq!(runs(1, 1).fewest(0.05 / 4.0), Some(runs(5, 5)));
        assert_eq!(runs(20, 1).fewest(0.05), Some(runs(20, 4)));
    }

    #[test]
    fn more_runs_and_less_noise_detect_less() {
        let design = |spread| Design {
            spread,
            floor: 0.1,
            alpha: 0.05,
        };
        let detectable = |spread, count| design(spread).detectable(runs(count, count));
        assert_eq!(detectable(0.2, 3), None);
        assert_eq!(design(0.2).detectable(runs(20, 3)), None);
        assert!(detectable(0.2, 8) > detectable(0.2, 30));
        assert!(detectable(0.2, 30) > detectable(0.1, 30));
        assert_eq!(
            detectable(0.0, 8).map(|effect| (effect * 1e6).round()),
            Some(1e5)
        );
    }

    #[test]
    fn an_estimate_at_the_floor_is_never_resolved() {
        let design = Design {
            spread: 0.2,
            floor: 0.25,
            alpha: 0.05,
        };
        assert_eq!(design.sufficient(runs(8, 8), 1.2499), None);
        let needed = design.sufficient(runs(8, 8), 1.05).unwrap();
        assert!((9..=20).contains(&needed.candidate), "{needed:?}");
    }
}
