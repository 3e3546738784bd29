//! Quantiles of microseconds.

use std::time::Duration;

/// Durations in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e6);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(crate) fn count(&self) -> f64 {
        self.0.len() as f64
    }

    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index into a short list"
        )]
        let index = (sorted.len() as f64 * quantile) as usize;
        sorted
            .get(index)
            .or(sorted.last())
            .copied()
            .unwrap_or(f64::NAN)
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    Samples(values.to_vec()).quantile(0.5)
}
