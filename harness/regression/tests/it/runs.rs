//! Runs with given values, for the other tests.

use cutover_regression::{Better, FORMAT, Machine, Measurement, Measurements};

/// A measurement that counts and is better where it is lower.
pub(crate) fn measurement(name: &str, value: f64) -> Measurement {
    Measurement {
        name: name.to_owned(),
        unit: "ms".to_owned(),
        better: Better::Lower,
        gated: true,
        value: Some(value),
        invalid: None,
        series: Vec::new(),
    }
}

/// A run with these measurements.
pub(crate) fn run(id: &str, values: Vec<Measurement>) -> Measurements {
    Measurements {
        format: FORMAT,
        run: id.to_owned(),
        target: "reference".to_owned(),
        profile: "quick".to_owned(),
        machine: Machine {
            cpus: 2,
            model: "a processor".to_owned(),
            os: "Linux 6".to_owned(),
        },
        values,
    }
}

/// A run for each value of `p50`.
pub(crate) fn runs(values: &[f64]) -> Vec<Measurements> {
    let runs = values.iter().enumerate();
    let runs =
        runs.map(|(index, value)| run(&format!("run-{index}"), vec![measurement("p50", *value)]));
    runs.collect()
}
