//! How well one series follows another one.

use crate::holm::count;

/// The rank correlation by Spearman of two series, from −1 to 1: the correlation of the ranks of their values, where
/// equal values share the mean of their ranks. `None` if the series differ in length, have fewer than three values, or
/// if one of them never changes.
pub fn rank_correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() != other.len() || one.len() < 3 {
        return None;
    }
    let (one, other) = (ranks(one), ranks(other));
    // The mean rank is the same for both.
    let middle = f64::midpoint(count(one.len()), 1.0);
    let product = |left: &[f64], right: &[f64]| -> f64 {
        let pairs = left.iter().zip(right);
        pairs.map(|(l, r)| (l - middle) * (r - middle)).sum()
    };
    let spread = product(&one, &one) * product(&other, &other);
    (spread > 0.0).then(|| product(&one, &other) / spread.sqrt())
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
            let found = rank_correlation(one, other).unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{one:?} {other:?}: {found}"
            );
        }
    }

    #[test]
    fn what_never_changes_follows_nothing() {
        assert_eq!(rank_correlation(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(rank_correlation(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[1.0, 2.0]), None);
    }
}
