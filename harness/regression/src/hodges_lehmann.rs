//! The estimate of Hodges and Lehmann for how many times greater one series is than another.

/// The median ratio of a value of the second series to one of the first, over all pairs; `None` if a
/// series is empty, or a value is negative or not a number.
///
/// Swapped series give the inverse. It is infinite where most pairs have 0 in the first series only.
pub fn hodges_lehmann(low: &[f64], high: &[f64]) -> Option<f64> {
    let is_usable = |value: &f64| *value >= 0.0 && value.is_finite();
    if low.is_empty() || high.is_empty() || !low.iter().chain(high).all(is_usable) {
        return None;
    }
    let logarithms = |series: &[f64]| series.iter().map(|value| value.ln()).collect::<Vec<_>>();
    Some(shift(&logarithms(low), &logarithms(high), &mut Vec::new()).exp())
}

/// The median difference between logarithms; `pairs` is memory that is used again.
pub(crate) fn shift(low: &[f64], high: &[f64], pairs: &mut Vec<f64>) -> f64 {
    pairs.clear();
    for high in high {
        // The logarithm of 0 is infinite, and a difference of two infinities is not a number.
        pairs.extend(low.iter().map(|low| {
            if low.total_cmp(high).is_eq() {
                0.0
            } else {
                high - low
            }
        }));
    }
    median(pairs)
}

/// The median, by partial sorting; of an even number of values, the mean of the middle two.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().max_by(f64::total_cmp);
    match lower {
        Some(lower) if !is_odd && (lower + upper).is_nan() => upper,
        Some(lower) if !is_odd => f64::midpoint(lower, upper),
        Some(_) | None => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_a_ratio() {
        let ratio = |low: &[f64], high: &[f64]| hodges_lehmann(low, high);
        assert_eq!(ratio(&[0.0; 3], &[0.0; 3]), Some(1.0));
        assert_eq!(ratio(&[0.0; 3], &[0.5; 3]), Some(f64::INFINITY));
        assert_eq!(ratio(&[0.5; 3], &[0.0; 3]), Some(0.0));
        assert_eq!(ratio(&[0.0, 1.0], &[0.0, 1.0]), Some(1.0));
    }

    #[test]
    fn what_has_no_ratio_has_none() {
        for (low, high) in [
            (vec![], vec![1.0]),
            (vec![1.0], vec![-1.0]),
            (vec![f64::NAN], vec![1.0]),
            (vec![1.0], vec![f64::INFINITY]),
        ] {
            assert_eq!(hodges_lehmann(&low, &high), None);
        }
    }
}
