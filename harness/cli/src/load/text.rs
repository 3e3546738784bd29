//! A load as lines of at most 80 columns.

use std::fmt::Write as _;

use cutover_load::Series;
use serde_json::{Map, Value, json};

use super::outcome::Outcome;

/// The quantiles that are shown.
const QUANTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
];

/// A count as a number, exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// A count divided by another.
pub(super) fn share(count: u64, of: u64) -> f64 {
    number(count) / number(of.max(1))
}

/// The quantiles of a series, in milliseconds.
pub(super) fn quantiles_json(series: &Series) -> Value {
    let quantiles = QUANTILES.iter().filter_map(|(name, share)| {
        let quantile = series.quantile(*share)?;
        let value = json!({
            "ms": quantile.value.as_secs_f64() * 1e3,
            "is_lower_bound": quantile.is_lower_bound,
        });
        Some(((*name).to_owned(), value))
    });
    Value::Object(quantiles.collect::<Map<_, _>>())
}

/// The whole text.
pub(super) fn text(outcome: &Outcome<'_>) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut text, outcome);
    text
}

fn write(text: &mut String, outcome: &Outcome<'_>) -> std::fmt::Result {
    let total = &outcome.total;
    let account = &total.account;
    writeln!(text, "requests")?;
    writeln!(text, "  {:<18}{:>12}", "scheduled", account.scheduled)?;
    for (index, (name, count)) in account.outcomes().into_iter().enumerate() {
        let sign = if index == 0 { "=" } else { "+" };
        if index == 0 || count > 0 {
            writeln!(text, "{sign} {name:<18}{count:>12}")?;
        }
    }
    let seconds = outcome.duration.as_secs_f64();
    let elapsed = outcome.report.elapsed.as_secs_f64().max(seconds);
    let scheduled = number(account.scheduled) / seconds;
    let achieved = number(account.answered()) / elapsed;
    writeln!(text, "rate")?;
    writeln!(text, "  {:<18}{scheduled:>12.1} per second", "scheduled")?;
    writeln!(text, "  {:<18}{achieved:>12.1} per second", "answered")?;
    write!(text, "time, ms   ")?;
    for (name, _) in QUANTILES {
        write!(text, "{name:>11}")?;
    }
    writeln!(text)?;
    for (name, series) in [
        ("response", &total.response),
        ("service", &total.service),
        ("lag", &total.lag),
    ] {
        write!(text, "  {name:<9}")?;
        for (_, share) in QUANTILES {
            match series.quantile(share) {
                Some(quantile) => write!(text, "{quantile:>11}")?,
                None => write!(text, "{:>11}", "-")?,
            }
        }
        writeln!(text)?;
    }
    for threshold in outcome.thresholds {
        let met = if threshold.is_met(total) {
            "met   "
        } else {
            "missed"
        };
        writeln!(text, "{met} {}", threshold.text())?;
    }
    if let Some(problem) = outcome.invalid() {
        writeln!(text, "invalid: {problem}")?;
    }
    Ok(())
}
