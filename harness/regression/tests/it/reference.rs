//! The statistics agree with those of `SciPy` and statsmodels; `tests/reference/make.py` computed them.

use cutover_regression::{hodges_lehmann, holm, interval, mann_whitney, noise};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    holm: Vec<Correction>,
}

#[derive(Deserialize)]
struct Case {
    low: Vec<f64>,
    high: Vec<f64>,
    mann_whitney: f64,
    hodges_lehmann: f64,
    interval: (f64, f64),
    noise: f64,
}

#[derive(Deserialize)]
struct Correction {
    p: Vec<f64>,
    corrected: Vec<f64>,
}

fn reference() -> serde_json::Result<Reference> {
    serde_json::from_str(include_str!("../reference/values.json"))
}

#[track_caller]
fn expect_near(found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected.abs().max(1e-12);
    assert!(error < tolerance, "{found} is not {expected}");
}

#[test]
fn probabilities_ratios_and_noise_are_those_of_scipy() {
    for case in reference().unwrap().cases {
        let p = mann_whitney(&case.low, &case.high).unwrap();
        expect_near(p, case.mann_whitney, 1e-9);
        let ratio = hodges_lehmann(&case.low, &case.high).unwrap();
        expect_near(ratio, case.hodges_lehmann, 1e-9);
        expect_near(noise(&case.low), case.noise, 1e-9);
    }
}

#[test]
fn intervals_are_those_of_scipy_within_the_error_of_resampling() {
    for case in reference().unwrap().cases {
        let (low, high) = interval(&case.low, &case.high, 1).unwrap();
        let width = (case.interval.1 / case.interval.0).ln();
        for (found, expected) in [(low, case.interval.0), (high, case.interval.1)] {
            let error = (found / expected).ln().abs();
            assert!(error <= 0.12 * width, "{found} is not {expected}");
        }
    }
}

#[test]
fn corrections_are_those_of_statsmodels() {
    for case in reference().unwrap().holm {
        for (found, expected) in holm(&case.p).into_iter().zip(case.corrected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} is not {expected}"
            );
        }
    }
}
