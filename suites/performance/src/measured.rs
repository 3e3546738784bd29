//! Measured values: what a check measured is recorded with its name, so that releases can be compared.

use std::time::Duration;

use cutover_harness::prelude::*;
pub(crate) use cutover_harness::record::Better;
use cutover_harness::record::{Measurement, Observation};

/// Records a measured value, which is reported only: it varies too much from run to run.
pub(crate) fn measured(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(cx, name, unit, better, value, false);
}

/// Records a measured value that must not become worse than that of a baseline.
pub(crate) fn gated(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(cx, name, unit, better, value, true);
}

fn record(cx: &Context, name: &str, unit: &str, better: Better, value: f64, gated: bool) {
    let measurement = Measurement {
        name: name.replace('_', " "),
        unit: unit.to_owned(),
        better,
        gated,
        value: Some(value),
        invalid: None,
    };
    let summary = format!("{}: {value:.3} {unit}", measurement.name);
    let value = serde_json::to_value(measurement).unwrap_or_default();
    cx.observe(Observation::MEASUREMENT, summary, value);
}

/// A number of things, for a quotient.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

/// A number of bytes in MB.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    as_float(bytes) / 1e6
}

/// The median of times; zero if there are none.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
