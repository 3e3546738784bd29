//! How well one series follows another one, and whether it does so by chance.

use crate::holm::count;

/// The variance of a rank correlation after Fisher's transformation, times the number of values less three
/// (E. C. Fieller, H. O. Hartley, E. S. Pearson, "Tests for rank correlation coefficients", 1957).
const VARIANCE: f64 = 1.06;

/// The rank correlation by Spearman of two series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankCorrelation {
    /// The correlation of the ranks of their values, from −1 to 1; equal values share the mean of their ranks.
    pub value: f64,
    /// The probability of one that is as strong, in either direction, of series that do not follow each other.
    ///
    /// Values of a series that change slowly resemble each other and count as fewer values. Two series that both grow
    /// say almost nothing.
    pub by_chance: f64,
}

impl RankCorrelation {
    /// The correlation of two series; `None` if they differ in length, have fewer than three values, or if one of them
    /// never changes.
    pub fn of(one: &[f64], other: &[f64]) -> Option<Self> {
        if one.len() != other.len() || one.len() < 3 {
            return None;
        }
        let (one, other) = (deviations(one), deviations(other));
        let spread = product(&one, &one) * product(&other, &other);
        if spread <= 0.0 {
            return None;
        }
        let value = product(&one, &other) / spread.sqrt();
        let values = independent_values(&one, &other);
        Some(Self {
            value,
            by_chance: by_chance(value, values),
        })
    }
}

/// The probability of a correlation that is as strong, of this many values of series that do not follow each other.
fn by_chance(value: f64, values: f64) -> f64 {
    if values <= 3.0 {
        return 1.0;
    }
    let deviation = value.abs().min(1.0).atanh() * ((values - 3.0) / VARIANCE).sqrt();
    beyond(deviation)
}

/// The number of independent values that say as much as these (M. S. Bartlett, "Some aspects of the time-correlation
/// problem in regard to tests of significance", 1935).
fn independent_values(one: &[f64], other: &[f64]) -> f64 {
    let together = resemblance(one) * resemblance(other);
    // Series that alternate say more; that is not relied on.
    let together = together.max(0.0);
    count(one.len()) * (1.0 - together) / (1.0 + together)
}

/// The correlation of each value with the next one, corrected for the bias of short series.
fn resemblance(deviations: &[f64]) -> f64 {
    let values = count(deviations.len());
    let found = product(deviations, &deviations[1..]) / product(deviations, deviations);
    let corrected = (values * found + 1.0) / (values - 4.0).max(1.0);
    corrected.clamp(-1.0, MOST_RESEMBLANCE)
}

/// Above this, a series is a trend.
const MOST_RESEMBLANCE: f64 = 0.97;

/// The probability of more than this many standard deviations from the mean of a normal distribution, in either
/// direction, to 2 · 10⁻⁷ (M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 7.1.26).
fn beyond(deviations: f64) -> f64 {
    const TERMS: [f64; 5] = [
        0.254_829_592,
        -0.284_496_736,
        1.421_413_741,
        -1.453_152_027,
        1.061_405_429,
    ];
    let x = deviations / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    if x.is_infinite() {
        0.0
    } else {
        sum * (-x * x).exp()
    }
}

/// The ranks of values, less their mean.
fn deviations(values: &[f64]) -> Vec<f64> {
    let middle = f64::midpoint(count(values.len()), 1.0);
    ranks(values).iter().map(|rank| rank - middle).collect()
}

/// The sum of the products of values at the same places.
fn product(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

/// The rank of each value, from 1; equal values have the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let smaller = values.iter().filter(|other| other.total_cmp(value).is_lt());
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq());
        count(smaller.count()) + f64::midpoint(count(equal.count()), 1.0)
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_is_that_of_scipy() {
        // scipy.stats.spearmanr
        let table: [(&[f64], &[f64], f64); 3] = [
            (
                &[1.0, 2.0, 3.0, 4.0, 5.0],
                &[5.0, 6.0, 7.0, 8.0, 7.0],
                0.820_782_681_668_123_3,
            ),
            (&[1.0, 2.0, 2.0, 3.0], &[1.0, 3.0, 2.0, 2.0], 0.5),
            (&[3.0, 2.0, 1.0], &[1.0, 5.0, 9.0], -1.0),
        ];
        for (one, other, expected) in table {
            let found = RankCorrelation::of(one, other).unwrap().value;
            assert!(
                (found - expected).abs() < 1e-12,
                "{one:?} {other:?}: {found}"
            );
        }
    }

    #[test]
    fn what_never_changes_follows_nothing() {
        let of = RankCorrelation::of;
        assert_eq!(of(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(of(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(of(&[1.0, 2.0, 3.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn the_probability_is_that_of_the_normal_distribution() {
        for (deviations, expected) in [
            (0.0, 1.0),
            (1.0, 0.317_310_5),
            (1.959_964, 0.05),
            (4.0, 6.334e-5),
        ] {
            let found = beyond(deviations);
            assert!((found - expected).abs() < 3e-7, "{deviations}: {found}");
        }
        assert!(beyond(f64::INFINITY) < 1e-12);
    }

    /// Values that depend on the ones before them by this share.
    fn walk(share: f64, state: &mut u64) -> Vec<f64> {
        let mut value = 0.0;
        let mut next = || {
            // The generator of Knuth's MMIX: good enough for a mean.
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            value = share * value + f64::from((*state >> 32) as u32) / f64::from(u32::MAX) - 0.5;
            value
        };
        (0..60).map(|_| next()).collect()
    }

    #[test]
    fn series_that_do_not_follow_each_other_are_seldom_below_alpha() {
        for share in [0.0, 0.5, 0.9, 1.0] {
            let mut state = 20;
            let below = (0..1_000).filter(|_| {
                let (one, other) = (walk(share, &mut state), walk(share, &mut state));
                RankCorrelation::of(&one, &other).is_some_and(|found| found.by_chance < 0.05)
            });
            let below = below.count();
            // 50 are expected at most; three standard deviations more are 71.
            assert!(below <= 71, "{share}: {below} of 1000");
        }
    }
}
