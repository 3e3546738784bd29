//! A load as lines of at most 80 columns.

use std::fmt::{self, Write as _};

use cutover_load::{Account, Measured, Series};
use serde_json::{Map, Value, json};

use super::outcome::{Outcome, Standing};

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

fn write(text: &mut String, outcome: &Outcome<'_>) -> fmt::Result {
    write_requests(text, outcome)?;
    write_rates(text, outcome)?;
    write_times(text, &outcome.total)?;
    write_phases(text, outcome)?;
    for threshold in outcome.thresholds {
        let standing = match outcome.standing(threshold) {
            Standing::Met => "met    ",
            Standing::Missed => "missed ",
            Standing::Inconclusive => "unknown",
        };
        writeln!(text, "{standing} {}", threshold.text())?;
    }
    write_validity(text, outcome)
}

fn write_validity(text: &mut String, outcome: &Outcome<'_>) -> fmt::Result {
    let machine = outcome.validities.machine;
    if machine.is_some_and(|machine| machine.stolen.is_none()) {
        writeln!(text, "steal time cannot be read here, and is not judged")?;
    }
    for (name, validity) in outcome.phase_validities() {
        let sign = if validity.is_valid() {
            ""
        } else {
            "INCONCLUSIVE: "
        };
        writeln!(text, "{sign}phase '{name}': {validity}")?;
    }
    if let Some(problem) = outcome.invalid() {
        return writeln!(text, "INCONCLUSIVE: {problem}");
    }
    // The phases were judged one by one, and the parts of a merged load by those who sent them.
    if machine.is_some() && outcome.phases.is_empty() {
        writeln!(text, "{}", outcome.validities.whole)?;
    }
    Ok(())
}

fn write_requests(text: &mut String, outcome: &Outcome<'_>) -> fmt::Result {
    let account = &outcome.total.account;
    writeln!(text, "requests")?;
    writeln!(text, "  {:<18}{:>12}", "scheduled", account.scheduled)?;
    for (index, (name, count)) in account.outcomes().into_iter().enumerate() {
        let sign = if index == 0 { "=" } else { "+" };
        if index == 0 || count > 0 {
            writeln!(text, "{sign} {name:<18}{count:>12}")?;
        }
    }
    Ok(())
}

fn write_rates(text: &mut String, outcome: &Outcome<'_>) -> fmt::Result {
    let account = &outcome.total.account;
    let seconds = outcome.duration.as_secs_f64();
    let elapsed = outcome.report.elapsed.as_secs_f64().max(seconds);
    let scheduled = number(account.scheduled) / seconds;
    let achieved = number(account.answered()) / elapsed;
    writeln!(text, "rate")?;
    writeln!(text, "  {:<18}{scheduled:>12.1} per second", "scheduled")?;
    writeln!(text, "  {:<18}{achieved:>12.1} per second", "answered")
}

fn write_times(text: &mut String, total: &Measured) -> fmt::Result {
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
            write_quantile(text, series, share)?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// One row for each phase: its requests, and their response times.
fn write_phases(text: &mut String, outcome: &Outcome<'_>) -> fmt::Result {
    if outcome.phases.is_empty() {
        return Ok(());
    }
    let [p50, .., p99, _, max] = QUANTILES;
    write!(
        text,
        "{:<15}{:>11}{:>11}{:>10}",
        "phase", "scheduled", "ok", "other"
    )?;
    for (name, _) in [p50, p99, max] {
        write!(text, "{name:>11}")?;
    }
    writeln!(text)?;
    for (name, phase) in outcome.named_phases() {
        let Account { scheduled, ok, .. } = phase.account;
        let other = phase.account.accounted() - ok;
        write!(text, "  {name:<13}{scheduled:>11}{ok:>11}{other:>10}")?;
        for (_, share) in [p50, p99, max] {
            write_quantile(text, &phase.response, share)?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn write_quantile(text: &mut String, series: &Series, share: f64) -> fmt::Result {
    match series.quantile(share) {
        Some(quantile) => write!(text, "{quantile:>11}"),
        None => write!(text, "{:>11}", "-"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cutover_load::self_test::{Behaviour, TestServer};
    use cutover_load::{Load, MachineUse, Request, Stop, Validity};
    use cutover_reports::exit;

    use super::super::outcome::Validities;
    use super::super::phase::Plan;
    use super::super::threshold::Threshold;
    use super::*;

    const STEADY: Validity = Validity::Steady { from_second: 0 };

    /// A load of two phases on a server of this process.
    fn outcome<T>(thresholds: &[&str], whole: Validity, see: impl FnOnce(&Outcome<'_>) -> T) -> T {
        let phases = ["first:100ms@100", "second:200ms@50..150"];
        let plan = Plan::new(phases.iter().map(|it| it.parse().unwrap()).collect());
        let pacer = plan.pacer(None).unwrap().unwrap();
        let server = TestServer::start(Behaviour::Delay(Duration::ZERO)).unwrap();
        let load = Load {
            phase_ends: pacer.ends().to_vec(),
            ..Load::new(Request::get(&server.url()).unwrap())
        };
        let report = load.open(&pacer, &Stop::default()).unwrap();
        let thresholds = thresholds.iter().map(|it| it.parse().unwrap());
        let thresholds: Vec<Threshold> = thresholds.collect();
        see(&Outcome {
            total: report.total().unwrap(),
            report: &report,
            duration: plan.duration(),
            phases: plan.names(),
            thresholds: &thresholds,
            validities: Validities {
                whole,
                phases: Vec::new(),
                machine: Some(MachineUse::default()),
            },
            problem: None,
            part: None,
        })
    }

    #[test]
    fn each_phase_has_a_row_and_the_sum_of_the_phases_is_the_total() {
        let (text, json) = outcome(&[], STEADY, |it| (text(it), it.json()));
        let row = |name: &str| {
            let mut lines = text.lines();
            let line = lines
                .find(|line| line.trim_start().starts_with(name))
                .unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        assert_eq!((row("first"), row("second")), (10, 20), "{text}");
        assert_eq!(row("scheduled"), row("first") + row("second"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        let scheduled = |value: &Value| value["account"]["scheduled"].as_u64().unwrap();
        let phases: u64 = json["phases"]
            .as_array()
            .unwrap()
            .iter()
            .map(scheduled)
            .sum();
        assert_eq!(phases, scheduled(&json));
        assert_eq!(json["phases"][1]["name"], "second");
    }

    #[test]
    fn a_threshold_is_for_its_phase() {
        let code = |threshold: &str| outcome(&[threshold], STEADY, |it| (text(it), it.code())).1;
        assert_eq!(code("second:p50<5s"), exit::GO);
        assert_eq!(code("second:p50<1us"), exit::NO_GO);
    }

    #[test]
    fn a_threshold_on_no_valid_measurement_is_neither_met_nor_missed() {
        for threshold in ["p50<5s", "p50<1us", "second:p50<1us"] {
            let stolen = Validity::Stolen { share: 0.2 };
            let see = |it: &Outcome<'_>| (text(it), it.json(), it.code());
            let (text, json, code) = outcome(&[threshold], stolen, see);
            assert_eq!(code, exit::INCONCLUSIVE, "{text}");
            assert!(text.contains(&format!("unknown {threshold}")), "{text}");
            assert!(
                text.contains("INCONCLUSIVE: other virtual machines took 20.0 %"),
                "{text}"
            );
            assert!(text.contains("steal time cannot be read"), "{text}");
            assert_eq!(json["thresholds"][0]["is_met"], Value::Null);
        }
    }

    #[test]
    fn an_overloaded_server_misses_a_threshold_and_meets_none() {
        for (threshold, expected) in [("p50<1us", exit::NO_GO), ("p50<5s", exit::INCONCLUSIVE)] {
            let reason = "the number of unanswered requests grew".to_owned();
            let overloaded = Validity::NotSteady { reason };
            let (text, code) = outcome(&[threshold], overloaded, |it| (text(it), it.code()));
            assert_eq!(code, expected, "{text}");
        }
    }

    #[test]
    fn a_phase_without_a_steady_state_is_inconclusive_alone() {
        let thresholds = ["first:p50<5s", "second:p50<5s"];
        let (text, code) = outcome(&thresholds, STEADY, |it| {
            let reason = "it grew".to_owned();
            let phases = vec![Validity::NotSteady { reason }, STEADY];
            let validities = Validities {
                phases,
                ..it.validities.clone()
            };
            let outcome = Outcome {
                validities,
                total: it.total.clone(),
                phases: it.phases.clone(),
                problem: None,
                part: None,
                ..*it
            };
            (text(&outcome), outcome.code())
        });
        assert_eq!(code, exit::INCONCLUSIVE, "{text}");
        assert!(text.contains("unknown first:p50<5s"), "{text}");
        assert!(text.contains("met     second:p50<5s"), "{text}");
        assert!(
            text.contains("phase 'first': no steady state: it grew"),
            "{text}"
        );
    }
}
