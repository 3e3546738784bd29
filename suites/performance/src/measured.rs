//! Measured values: what a check measured is recorded with its name, so that releases can be compared.

use cutover_harness::prelude::*;
use cutover_harness::record::Observation;
use serde_json::json;

/// Which values of a measurement are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// Records a measured value, which is reported only: it varies too much from run to run.
pub(crate) fn measured(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(cx, name, unit, better, value, false);
}

/// Records a measured value that must not become worse than that of a baseline.
pub(crate) fn gated(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(cx, name, unit, better, value, true);
}

fn record(cx: &Context, name: &str, unit: &str, better: Better, value: f64, gated: bool) {
    let better = match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    };
    let name = name.replace('_', " ");
    let summary = format!("{name}: {value:.3} {unit}");
    let value =
        json!({ "name": name, "unit": unit, "better": better, "gated": gated, "value": value });
    cx.observe(Observation::MEASUREMENT, summary, value);
}
