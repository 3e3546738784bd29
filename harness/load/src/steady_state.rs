//! Whether a series of values has become steady, and since when.

use crate::pacer::exact;

/// The number of values in a batch.
const BATCH: usize = 5;

/// The mean of fewer batches than this says little.
const LEAST_BATCHES: usize = 5;

/// The quantile of the normal distribution that leaves out 1 % on both sides together.
const Z: f64 = 2.575_829;

/// Where the warm-up of a series ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// The values from this one on are steady.
    At(usize),
    /// The best point is in the second half, so that the series is too short for its warm-up.
    SecondHalf,
    /// There are too few values to tell.
    TooShort,
}

/// Finds the end of the warm-up by MSER-5: the values are averaged in batches of five, and the batches
/// before the point that minimises the marginal standard error of the rest are left out. The last five
/// batches are not tried as the start, because the error of few values is small by chance.
///
/// Source: K. P. White, M. J. Cobb, S. C. Spratt, "A comparison of five steady-state truncation heuristics
/// for simulation", Proceedings of the 2000 Winter Simulation Conference.
pub fn mser5(values: &[f64]) -> Truncation {
    let batches = values.chunks_exact(BATCH);
    let batches: Vec<f64> = batches.map(mean).collect();
    if batches.len() < 2 * LEAST_BATCHES {
        return Truncation::TooShort;
    }
    let starts = 0..=batches.len() - LEAST_BATCHES;
    let errors = starts.map(|start| (start, marginal_error(&batches[start..])));
    let best = errors.min_by(|one, other| one.1.total_cmp(&other.1));
    match best {
        Some((start, _)) if 2 * start < batches.len() => Truncation::At(start * BATCH),
        _ => Truncation::SecondHalf,
    }
}

/// The sum of the squared deviations, divided by the square of the count.
fn marginal_error(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2));
    squares.sum::<f64>() / count(values).powi(2)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

fn count(values: &[f64]) -> f64 {
    exact(values.len() as u64)
}

/// The change of a series for each of its steps, with the limits of its 99 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The estimate by least squares.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}

/// Fits a line to a series; `None` for fewer than ten values.
pub fn slope(values: &[f64]) -> Option<Slope> {
    if values.len() < 2 * LEAST_BATCHES {
        return None;
    }
    let (mean_y, mean_x) = (mean(values), (count(values) - 1.0) / 2.0);
    let points = || (0..).map(|x| exact(x) - mean_x).zip(values);
    let square_sum: f64 = points().map(|(x, _)| x * x).sum();
    let value = points().map(|(x, y)| x * (y - mean_y)).sum::<f64>() / square_sum;
    let residuals = points().map(|(x, y)| (y - mean_y - value * x).powi(2));
    let freedom = count(values) - 2.0;
    let error = (residuals.sum::<f64>() / freedom / square_sum).sqrt();
    let margin = t_quantile(freedom) * error;
    Some(Slope {
        value,
        low: value - margin,
        high: value + margin,
    })
}

/// The quantile of Student's distribution at 99.5 %, by the expansion of Cornish and Fisher: for eight
/// degrees of freedom and more, its error is below 0.1 %.
fn t_quantile(freedom: f64) -> f64 {
    let power = |exponent| Z.powi(exponent);
    let first = (power(3) + Z) / 4.0;
    let second = (5.0 * power(5) + 16.0 * power(3) + 3.0 * Z) / 96.0;
    let third = (3.0 * power(7) + 19.0 * power(5) + 17.0 * power(3) - 15.0 * Z) / 384.0;
    Z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(count: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-1.0..1.0_f64, count)
    }

    #[test]
    fn a_flat_series_is_steady_from_its_start_and_has_no_slope() {
        let flat = [7.0; 60];
        assert_eq!(mser5(&flat), Truncation::At(0));
        let slope = slope(&flat).unwrap();
        assert!(slope.value.abs() < 1e-12 && slope.high < 1e-9, "{slope:?}");
    }

    #[test]
    fn a_short_series_is_not_judged() {
        assert_eq!(mser5(&[1.0; 49]), Truncation::TooShort);
        assert_eq!(slope(&[1.0; 9]), None);
    }

    #[test]
    fn the_interval_is_that_of_student() {
        for (freedom, expected) in [(8.0, 3.3554), (10.0, 3.1693), (30.0, 2.7500)] {
            let found = t_quantile(freedom);
            assert!((found / expected - 1.0).abs() < 1e-3, "{freedom}: {found}");
        }
        // By hand: x = 0..10, y = x + (1, -1, …); the slope is 1 − 5/82.5.
        let values: Vec<_> = (0..10)
            .map(|x| exact(x) + if x % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let found = slope(&values).unwrap();
        assert!((found.value - (1.0 - 5.0 / 82.5)).abs() < 1e-9, "{found:?}");
    }

    proptest! {
        #[test]
        fn a_ramp_is_not_steady_and_its_slope_is_found(
            noise in noise(100),
            rise in prop_oneof![-5.0..-1.0_f64, 1.0..5.0_f64],
        ) {
            let values: Vec<_> = (0..).map(exact).zip(noise).map(|(x, noise)| rise * x + noise).collect();
            prop_assert_eq!(mser5(&values), Truncation::SecondHalf);
            let found = slope(&values).unwrap();
            prop_assert!((found.value - rise).abs() < 0.1, "{:?}", found);
            prop_assert!(found.low > 0.0 || found.high < 0.0, "{:?}", found);
        }

        #[test]
        fn a_warm_up_is_cut_off_at_its_end(swing in 0.1..5.0_f64, warm_up in 0..60_usize) {
            // Batches whose means differ by the same amount: the longest steady part has the least error.
            let steady = |x: usize| if (x / BATCH).is_multiple_of(2) { swing } else { -swing };
            let value = |x| if x < warm_up { 500.0 } else { 10.0 + steady(x) };
            let values: Vec<_> = (0..150).map(value).collect();
            let expected = warm_up.next_multiple_of(BATCH);
            prop_assert_eq!(mser5(&values), Truncation::At(expected));
        }

        #[test]
        fn no_part_of_a_warm_up_is_kept_whatever_the_noise(noise in noise(150), warm_up in 5..60_usize) {
            let value = |(x, noise): (usize, f64)| if x < warm_up { 100.0 + noise } else { 10.0 + noise };
            let values: Vec<_> = noise.into_iter().enumerate().map(value).collect();
            if let Truncation::At(found) = mser5(&values) {
                prop_assert!(found >= warm_up, "{found} for {warm_up}");
            }
        }
    }
}
