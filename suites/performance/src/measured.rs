//! Measured values: what a check measured is recorded with its name, so that releases can be compared.

use std::time::Duration;

use cutover_harness::load_generator::{Quantile, Report};
use cutover_harness::prelude::*;
pub(crate) use cutover_harness::record::Better;
use cutover_harness::record::{Measurement, Observation};

/// Records a measured value, which is reported only: it varies too much from run to run.
pub(crate) fn measured(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(cx, measurement(name, unit, better, value));
}

/// Records a measured value that must not become worse than that of a baseline.
pub(crate) fn gated(cx: &Context, name: &str, unit: &str, better: Better, value: f64) {
    record(
        cx,
        Measurement {
            gated: true,
            ..measurement(name, unit, better, value)
        },
    );
}

/// Records the response time at p95 of a load, in all and of each second.
pub(crate) fn response_at_p95(cx: &Context, what: &str, report: &Report) -> CheckResult<Quantile> {
    let all = quantile(report, 0.95)?;
    let seconds = (0_u32..).zip(&report.seconds).filter_map(|(at, second)| {
        let value = second.response.quantile(0.95)?.value;
        Some([f64::from(at), value.as_secs_f64() * 1e3])
    });
    let name = format!("response of {what} at p95");
    record(
        cx,
        Measurement {
            series: seconds.collect(),
            ..measurement(&name, "ms", Better::Lower, all.value.as_secs_f64() * 1e3)
        },
    );
    Ok(all)
}

/// The response time of a load that this share of the requests does not exceed.
pub(crate) fn quantile(report: &Report, share: f64) -> CheckResult<Quantile> {
    let total = report.total().map_err(anyhow::Error::from)?;
    let quantile = total.response.quantile(share);
    quantile.ok_or_else(|| anyhow::anyhow!("no request was due").into())
}

fn measurement(name: &str, unit: &str, better: Better, value: f64) -> Measurement {
    Measurement {
        name: name.replace('_', " "),
        unit: unit.to_owned(),
        better,
        gated: false,
        value: Some(value),
        invalid: None,
        series: Vec::new(),
    }
}

fn record(cx: &Context, measurement: Measurement) {
    let (value, unit) = (measurement.value.unwrap_or(f64::NAN), &measurement.unit);
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
