//! A rate measured on few cases, with its confidence interval.

use std::fmt;

use serde::{Serialize, Serializer};

/// The quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.959_964;

/// A number of hits among a number of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) hits: u32,
    pub(crate) of: u32,
}

impl Rate {
    /// Counts the hits among the cases.
    pub(crate) fn over<T>(cases: impl IntoIterator<Item = T>, is_hit: impl Fn(&T) -> bool) -> Self {
        cases.into_iter().fold(Self::default(), |rate, case| Self {
            hits: rate.hits + u32::from(is_hit(&case)),
            of: rate.of + 1,
        })
    }

    /// The share of hits; `None` without cases.
    pub(crate) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.hits) / f64::from(self.of))
    }

    /// The 95 % confidence interval of the share. Wilson's score interval is also valid when
    /// all or none of a few cases are hits.
    pub(crate) fn interval(self) -> Option<(f64, f64)> {
        let (share, n) = (self.share()?, f64::from(self.of));
        let weight = 1.0 + Z * Z / n;
        let centre = share + Z * Z / (2.0 * n);
        let margin = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let bound = |end: f64| (end / weight).clamp(0.0, 1.0);
        Some((bound(centre - margin), bound(centre + margin)))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(share), Some((low, high))) = (self.share(), self.interval()) else {
            return f.write_str("no cases");
        };
        write!(
            f,
            "{} of {}: {:.1} % (95 % confidence: {:.1} % to {:.1} %)",
            self.hits,
            self.of,
            share * 100.0,
            low * 100.0,
            high * 100.0,
        )
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::json!({
            "hits": self.hits,
            "of": self.of,
            "share": self.share(),
            "interval_95": self.interval().map(|(low, high)| [low, high]),
        })
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By definition the bounds are the shares at which the score test turns.
    #[test]
    fn the_interval_is_wilsons() {
        for (hits, of) in [(1, 10), (5, 10), (9, 10), (69, 70), (1, 1_000)] {
            let rate = Rate { hits, of };
            let (share, (low, high)) = (rate.share().unwrap(), rate.interval().unwrap());
            assert!(low < share && share < high, "{rate}");
            for bound in [low, high] {
                let deviation = (bound * (1.0 - bound) / f64::from(of)).sqrt();
                let score = (share - bound).abs() / deviation;
                assert!((score - Z).abs() < 1e-9, "{rate}: {score}");
            }
        }
    }

    #[test]
    fn all_or_none_of_few_is_no_certainty() {
        let (low, high) = Rate { hits: 0, of: 10 }.interval().unwrap();
        assert!(low < f64::EPSILON && (0.27..0.28).contains(&high), "{high}");
        let (low, high) = Rate { hits: 10, of: 10 }.interval().unwrap();
        assert!((0.72..0.73).contains(&low) && high > 0.999_999, "{low}");
    }

    #[test]
    fn no_cases_have_no_share() {
        let none = Rate::over(std::iter::empty::<()>(), |()| true);
        assert_eq!((none.share(), none.interval()), (None, None));
        assert_eq!(none.to_string(), "no cases");
    }

    #[test]
    fn a_rate_is_said_with_its_interval() {
        let rate = Rate::over([1, 2, 3, 4], |n| n % 2 == 0);
        assert_eq!(
            rate.to_string(),
            "2 of 4: 50.0 % (95 % confidence: 15.0 % to 85.0 %)"
        );
    }
}
