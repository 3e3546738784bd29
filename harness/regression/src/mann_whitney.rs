//! The exact one-sided test of Mann and Whitney, with ties.
//!
//! Given the pooled values, every choice of which of them are the second series is equally likely if
//! the series do not differ. The number of choices with each rank sum is counted, so the probability
//! is exact for a few values and for equal ones, where tables and the normal approximation are wrong.

use std::cmp::Ordering;

/// The most values that a series may have: the cost grows with the fourth power.
pub(crate) const MOST: usize = 60;

/// The probability that the second series ranks as high as it does, or higher, if it does not differ
/// from the first; `None` if a series is empty or too long, or a value is not a number.
pub fn mann_whitney(low: &[f64], high: &[f64]) -> Option<f64> {
    let is_usable = |series: &[f64]| {
        (1..=MOST).contains(&series.len()) && !series.iter().any(|value| value.is_nan())
    };
    if !is_usable(low) || !is_usable(high) {
        return None;
    }
    let pooled: Vec<f64> = high.iter().chain(low).copied().collect();
    let ranks = doubled_midranks(&pooled);
    let observed: usize = ranks[..high.len()].iter().sum();
    let ways = ways(&ranks, high.len());
    let total: f64 = ways.iter().sum();
    let extreme: f64 = ways[observed..].iter().sum();
    Some((extreme / total).min(1.0))
}

/// So many values attain almost every probability.
const MANY: usize = 24;

/// The largest probability below `alpha` that series of these lengths without ties can have; `None` if
/// they are too short for any.
pub(crate) fn attainable(low: usize, high: usize, alpha: f64) -> Option<f64> {
    if !(1..=MOST).contains(&low) || !(1..=MOST).contains(&high) {
        return None;
    }
    if low.min(high) > 1 && low + high > MANY {
        return Some(alpha);
    }
    let ranks: Vec<usize> = (1..=low + high).map(|rank| 2 * rank).collect();
    let ways = ways(&ranks, high);
    let total: f64 = ways.iter().sum();
    let tails = ways.iter().rev().scan(0.0, |sum, ways| {
        *sum += ways;
        Some(*sum / total)
    });
    tails.take_while(|p| *p < alpha).last().filter(|p| *p > 0.0)
}

/// Twice the rank of each value, where equal values share the mean of their ranks.
fn doubled_midranks(values: &[f64]) -> Vec<usize> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let is_equal = |other: &&f64| other.partial_cmp(&value).is_some_and(Ordering::is_eq);
        let equal = values.iter().filter(is_equal).count();
        2 * below + equal + 1
    };
    values.iter().map(rank).collect()
}

/// The number of choices of this many ranks, for each sum that they can have.
///
/// Sums of positive numbers: the relative error of a `f64` stays below 10⁻¹³.
fn ways(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let sums = ranks.iter().sum::<usize>() + 1;
    let mut ways = vec![vec![0.0; sums]; chosen + 1];
    ways[0][0] = 1.0;
    for (index, rank) in ranks.iter().enumerate() {
        for count in (1..=chosen.min(index + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(count);
            let (from, to) = (&fewer[count - 1], &mut more[0]);
            for (to, from) in to[*rank..].iter_mut().zip(from) {
                *to += from;
            }
        }
    }
    ways.swap_remove(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_ranked_has_no_probability() {
        for (low, high) in [
            (vec![], vec![1.0]),
            (vec![1.0], vec![]),
            (vec![f64::NAN], vec![1.0]),
            (vec![1.0; MOST + 1], vec![1.0]),
        ] {
            assert_eq!(mann_whitney(&low, &high), None);
        }
    }

    #[test]
    fn the_smallest_probability_is_one_choice_of_all() {
        for (runs, choices) in [(3, 20.0), (4, 70.0), (5, 252.0)] {
            let low = &[1.0, 2.0, 3.0, 4.0, 5.0][..runs];
            let high = &[6.0, 7.0, 8.0, 9.0, f64::INFINITY][..runs];
            let p = mann_whitney(low, high).unwrap();
            assert!((p * choices - 1.0).abs() < 1e-12, "{p}");
        }
        assert_eq!(mann_whitney(&[3.0; 8], &[3.0; 8]), Some(1.0));
    }

    #[test]
    fn too_few_runs_attain_nothing() {
        assert_eq!(attainable(3, 3, 0.05), None);
        let attained = attainable(4, 4, 0.05).unwrap();
        assert!((attained - 2.0 / 70.0).abs() < 1e-12, "{attained}");
        assert!(attainable(12, 12, 0.05).unwrap() > 0.044);
        assert_eq!(attainable(1, 18, 0.05), None);
    }
}
