//! How much runs of the same pipeline differ on one machine, and the smallest effect that counts.

use crate::hodges_lehmann::median as sort_for_median;

/// The smallest effect that counts on a machine without noise.
const LEAST_FLOOR: f64 = 0.10;

/// How many times the noise an effect must be.
const NOISE_FACTOR: f64 = 2.0;

/// The median; not a number for an empty series.
pub fn median(series: &[f64]) -> f64 {
    sort_for_median(&mut series.to_vec())
}

/// The noise of a series: the median distance of its values from their median, relative to it.
pub fn noise(series: &[f64]) -> f64 {
    let middle = median(series);
    let distances: Vec<f64> = series.iter().map(|value| (value - middle).abs()).collect();
    let deviation = median(&distances);
    if deviation == 0.0 {
        return 0.0;
    }
    deviation / middle.abs()
}

/// The effect that a regression must exceed: 10 %, or twice the noise of the baseline.
pub fn floor(noise: f64) -> f64 {
    (NOISE_FACTOR * noise).max(LEAST_FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_twice_the_noise_and_never_less_than_a_tenth() {
        for (series, expected_noise, expected_floor) in [
            ([100.0, 100.0, 100.0], 0.0, 0.10),
            ([98.0, 100.0, 103.0], 0.02, 0.10),
            ([80.0, 100.0, 130.0], 0.20, 0.40),
            ([0.0, 0.0, 1.0], 0.0, 0.10),
        ] {
            let noise = noise(&series);
            assert!((noise - expected_noise).abs() < 1e-12, "{noise}");
            assert!((floor(noise) - expected_floor).abs() < 1e-12);
        }
    }
}
