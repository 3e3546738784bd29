//! How a cost grows with a size: the exponent of a power law, with its interval.

use crate::holm::count;

/// The factor of the standard error for an interval of 95 %, by degrees of freedom from one on (the quantile 0.975 of
/// Student's distribution). The last one is used for more of them, which makes the interval too wide, never too narrow.
const STUDENT: [f64; 10] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
];

/// The exponent of `cost = factor × size^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// The exponent: 1 where the cost is proportional to the size, 2 where it grows with the square.
    pub exponent: f64,
    /// The interval in which the exponent is with a probability of 95 %.
    pub interval: (f64, f64),
}

impl PowerLaw {
    /// Fits the exponent to pairs of a size and a cost by least squares of their logarithms.
    ///
    /// `None` for fewer than three pairs, for a size or a cost that is not above zero, and for sizes that are all equal.
    pub fn fit(pairs: &[(f64, f64)]) -> Option<Self> {
        let is_usable = |value: f64| value > 0.0 && value.is_finite();
        let are_usable = pairs
            .iter()
            .all(|(size, cost)| is_usable(*size) && is_usable(*cost));
        if pairs.len() < 3 || !are_usable {
            return None;
        }
        let logs: Vec<_> = pairs
            .iter()
            .map(|(size, cost)| (size.ln(), cost.ln()))
            .collect();
        let number = count(logs.len());
        let mean_size = logs.iter().map(|(size, _)| size).sum::<f64>() / number;
        let mean_cost = logs.iter().map(|(_, cost)| cost).sum::<f64>() / number;
        let spread: f64 = logs
            .iter()
            .map(|(size, _)| (size - mean_size).powi(2))
            .sum();
        if spread <= f64::EPSILON {
            return None;
        }
        let together: f64 = logs
            .iter()
            .map(|(size, cost)| (size - mean_size) * (cost - mean_cost))
            .sum();
        let exponent = together / spread;
        let residual = |(size, cost): &(f64, f64)| cost - mean_cost - exponent * (size - mean_size);
        let residuals: f64 = logs.iter().map(|pair| residual(pair).powi(2)).sum();
        let freedom = logs.len() - 2;
        let error = (residuals / count(freedom) / spread).sqrt();
        let half = STUDENT[freedom.min(STUDENT.len()) - 1] * error;
        Some(Self {
            exponent,
            interval: (exponent - half, exponent + half),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_reference_values_of_scipy_are_met() {
        // scipy.stats.linregress of the logarithms, with t.ppf(0.975, 3) × stderr.
        let pairs = [
            (1.0, 2.1),
            (2.0, 3.9),
            (4.0, 8.4),
            (8.0, 15.5),
            (16.0, 33.0),
        ];
        let law = PowerLaw::fit(&pairs).unwrap();
        assert!((law.exponent - 0.993_873_2).abs() < 1e-6, "{law:?}");
        assert!((law.interval.0 - 0.928_081_5).abs() < 1e-3, "{law:?}");
        assert!((law.interval.1 - 1.059_664_8).abs() < 1e-3, "{law:?}");
    }

    #[test]
    fn what_cannot_be_fitted_has_no_exponent() {
        assert_eq!(PowerLaw::fit(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(PowerLaw::fit(&[(1.0, 1.0), (2.0, 0.0), (3.0, 1.0)]), None);
        assert_eq!(PowerLaw::fit(&[(2.0, 1.0), (2.0, 2.0), (2.0, 3.0)]), None);
        assert_eq!(
            PowerLaw::fit(&[(1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]),
            None
        );
    }

    proptest! {
        #[test]
        fn an_exact_power_law_is_found(exponent in -3.0_f64..3.0, factor in 0.01_f64..100.0, more in 3_u32..14) {
            let pairs: Vec<_> = (1..=more)
                .map(|size| (f64::from(size), factor * f64::from(size).powf(exponent)))
                .collect();
            let law = PowerLaw::fit(&pairs).unwrap();
            prop_assert!((law.exponent - exponent).abs() < 1e-9);
            prop_assert!((law.interval.1 - law.interval.0).abs() < 1e-6);
        }
    }
}
