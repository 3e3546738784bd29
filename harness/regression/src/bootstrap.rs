//! An interval of a ratio, from resampled runs.

use crate::hodges_lehmann::shift;

/// How often runs are drawn.
const RESAMPLES: usize = 2_000;

/// The share of the resamples that each side of the interval excludes.
///
/// As a test of one side at 5 %: a regression at the floor passes with about this probability.
const TAIL: f64 = 0.05;

/// The interval in which 90 % of the resampled ratios of the second series to the first are; `None` if
/// there is no ratio. The same seed gives the same interval.
pub fn interval(low: &[f64], high: &[f64], seed: u64) -> Option<(f64, f64)> {
    crate::hodges_lehmann(low, high)?;
    let logarithms = |series: &[f64]| series.iter().map(|value| value.ln()).collect::<Vec<_>>();
    let (low, high) = (logarithms(low), logarithms(high));
    let mut generator = SplitMix(seed);
    let (mut low_drawn, mut high_drawn) = (low.clone(), high.clone());
    let mut pairs = Vec::with_capacity(low.len() * high.len());
    let mut shifts: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        generator.draw(&low, &mut low_drawn);
        generator.draw(&high, &mut high_drawn);
        shifts.push(shift(&low_drawn, &high_drawn, &mut pairs));
    }
    shifts.sort_by(f64::total_cmp);
    let excluded = excluded();
    Some((
        shifts[excluded].exp(),
        shifts[RESAMPLES - 1 - excluded].exp(),
    ))
}

/// The number of resamples below the interval, and above it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a small number"
)]
fn excluded() -> usize {
    (RESAMPLES as f64 * TAIL) as usize
}

/// The generator `SplitMix64`. Its numbers do not depend on the version of a library, so a comparison
/// gives the same interval tomorrow.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws as many values as there are, with replacement.
    fn draw(&mut self, from: &[f64], to: &mut [f64]) {
        for value in to {
            let scaled = u128::from(self.next()) * (from.len() as u128);
            // The upper half is less than the length.
            let index = usize::try_from(scaled >> 64).unwrap_or(0);
            *value = from[index];
        }
    }
}
