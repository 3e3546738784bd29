//! The correction of Holm for several tests at once.

/// Each probability, corrected so that the chance of any false alarm is at most that of one test.
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other]));
    let mut corrected = vec![1.0; probabilities.len()];
    let mut least: f64 = 0.0;
    // The smallest is multiplied by the number of tests, the next by one less, and so on.
    for (factor, index) in (1..=order.len()).rev().zip(order) {
        least = least.max(probabilities[index] * count(factor)).min(1.0);
        corrected[index] = least;
    }
    corrected
}

/// A count as a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of runs and tests are small"
)]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}
