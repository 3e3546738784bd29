//! Measured values: what a check measured is recorded with its name, so that releases can be compared.

use cutover_harness::prelude::*;
use serde_json::json;

/// Which values of a measurement are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// Records a measured value.
pub(crate) fn measured(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    let better = match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    };
    let name = name.replace('_', " ");
    let summary = format!("{name}: {value:.3} {unit}");
    let value = json!({ "name": name, "unit": unit, "better": better, "value": value });
    cx.observe("measurement", summary, value);
}
