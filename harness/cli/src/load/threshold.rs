//! A threshold such as `p99<200ms`, which a load must meet.

use std::str::FromStr;
use std::time::Duration;

use cutover_load::Measured;

/// A text that is not a threshold.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is not a threshold; write one such as p99<200ms, service.p50<5ms, max<2s, errors<1%, ramp:p99<1s"
)]
pub(super) struct ThresholdError(String);

/// A threshold, which a load must meet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Threshold {
    /// As it was given.
    text: String,
    /// The phase that must meet it; `None` for the whole load.
    phase: Option<String>,
    limit: Limit,
}

#[derive(Clone, Debug, PartialEq)]
enum Limit {
    /// A quantile of the response or service time.
    Time {
        is_service: bool,
        share: f64,
        limit: Duration,
    },
    /// The share of requests without an ok response.
    Errors(f64),
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let (phase, limit) = match text.split_once(':') {
            Some((phase, limit)) => (Some(phase.trim().to_owned()), limit),
            None => (None, text),
        };
        let limit = parse(limit).ok_or_else(|| ThresholdError(text.to_owned()))?;
        let text = text.to_owned();
        Ok(Self { text, phase, limit })
    }
}

fn parse(text: &str) -> Option<Limit> {
    let (what, limit) = text.split_once('<')?;
    let (what, limit) = (what.trim(), limit.trim());
    if what == "errors" {
        let percent: f64 = limit.strip_suffix('%')?.trim().parse().ok()?;
        return (percent > 0.0 && percent <= 100.0).then_some(Limit::Errors(percent / 100.0));
    }
    let (series, quantile) = what.split_once('.').unwrap_or(("response", what));
    // The point of `p99.9` separates no series.
    let (series, quantile) = match series {
        "response" | "service" => (series, quantile),
        _ => ("response", what),
    };
    let share = match quantile {
        "max" => 1.0,
        _ => quantile.strip_prefix('p')?.parse::<f64>().ok()? / 100.0,
    };
    let is_valid = share > 0.0 && share <= 1.0;
    is_valid.then_some(Limit::Time {
        is_service: series == "service",
        share,
        limit: duration(limit)?,
    })
}

/// A duration such as `200ms`, `1.5s` or `2m`; positive.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.trim().parse::<f64>().ok()? * factor;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

impl Threshold {
    /// As it was given.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The phase that must meet it; `None` for the whole load.
    pub(super) fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// Whether a part of a load meets it. A load without a request meets none, and a lower bound does not show
    /// that a time is below a limit.
    pub(super) fn is_met(&self, total: &Measured) -> bool {
        match &self.limit {
            Limit::Time {
                is_service,
                share,
                limit,
            } => {
                let series = if *is_service {
                    &total.service
                } else {
                    &total.response
                };
                let quantile = series.quantile(*share);
                quantile.is_some_and(|time| !time.is_lower_bound && time.value < *limit)
            }
            Limit::Errors(limit) => {
                let account = &total.account;
                account.scheduled > 0
                    && super::text::share(account.scheduled - account.ok, account.scheduled)
                        < *limit
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read() {
        for (text, expected) in [
            ("p99<200ms", (false, 0.99, 200)),
            ("p99.9 < 1.5s", (false, 0.999, 1_500)),
            ("service.p50<5ms", (true, 0.5, 5)),
            ("response.max<2s", (false, 1.0, 2_000)),
        ] {
            let Limit::Time {
                is_service,
                share,
                limit,
            } = parse(text).unwrap()
            else {
                panic!("{text}");
            };
            assert_eq!(is_service, expected.0, "{text}");
            assert!((share - expected.1).abs() < 1e-9, "{text}");
            assert_eq!(limit, Duration::from_millis(expected.2), "{text}");
        }
        assert_eq!(parse("errors<1%"), Some(Limit::Errors(0.01)));
    }

    #[test]
    fn a_threshold_may_name_a_phase() {
        let phase = |text: &str| {
            let threshold: Threshold = text.parse().unwrap();
            threshold.phase().map(str::to_owned)
        };
        assert_eq!(phase("ramp:service.p99.9<1s").as_deref(), Some("ramp"));
        assert_eq!(phase("ramp:errors<1%").as_deref(), Some("ramp"));
        assert_eq!(phase("p99<1s"), None);
    }

    #[test]
    fn what_is_not_a_threshold_is_an_error() {
        for text in [
            "", "p99", "p99>1s", "p0<1s", "p101<1s", "q<1s", "p99<1", "p99<-1s", "errors<1",
            "pNaN<1s", "ramp:", "ramp:p99",
        ] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }
}
