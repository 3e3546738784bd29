//! Whether a load was a valid measurement, and whether it met its thresholds.

use std::time::Duration;

use cutover_load::{Measured, Report};
use cutover_reports::exit;
use serde_json::{Value, json};

use super::shard_file::Part;
use super::text;
use super::threshold::Threshold;

/// The generator lag at p99 above which a measurement says more about the generator than the server.
const LAG_LIMIT: Duration = Duration::from_millis(30);

/// What a load showed.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) report: &'a Report,
    pub(super) total: Measured,
    /// How long requests were due.
    pub(super) duration: Duration,
    /// The names of the phases; none if the load has no named phases.
    pub(super) phases: Vec<String>,
    pub(super) thresholds: &'a [Threshold],
    /// Why it is not valid, if that is known already.
    pub(super) problem: Option<String>,
    /// The part of a load, if it was one.
    pub(super) part: Option<Part>,
}

impl Outcome<'_> {
    /// Why the measurement is not valid.
    pub(super) fn invalid(&self) -> Option<String> {
        if self.problem.is_some() {
            return self.problem.clone();
        }
        let account = &self.total.account;
        if !account.is_balanced() {
            return Some(format!(
                "{} requests were due, and {} have an outcome",
                account.scheduled,
                account.accounted()
            ));
        }
        if account.ok == 0 {
            return Some("no request was answered with success".to_owned());
        }
        let late = self.total.generator_lag.quantile(0.99);
        let late = late.filter(|lag| lag.value > LAG_LIMIT);
        late.map(|lag| format!("the generator could not keep the rate: its lag is {lag} ms at p99"))
    }

    /// The phases with their names.
    pub(super) fn named_phases(&self) -> impl Iterator<Item = (&String, &Measured)> {
        self.phases.iter().zip(&self.report.phases)
    }

    /// Whether the part of the load that a threshold is for meets it.
    pub(super) fn is_met(&self, threshold: &Threshold) -> bool {
        let part = match threshold.phase() {
            None => Some(&self.total),
            Some(name) => {
                let mut phases = self.named_phases();
                phases.find_map(|(phase, measured)| (phase == name).then_some(measured))
            }
        };
        part.is_some_and(|part| threshold.is_met(part))
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        if self.invalid().is_some() {
            return exit::USAGE;
        }
        let mut thresholds = self.thresholds.iter();
        if thresholds.all(|threshold| self.is_met(threshold)) {
            exit::GO
        } else {
            exit::NO_GO
        }
    }

    /// The outcome as JSON. Its histograms can be merged with those of other shards.
    pub(super) fn json(&self) -> Value {
        let thresholds = self.thresholds.iter().map(|threshold| {
            let is_met = self.is_met(threshold);
            json!({ "threshold": threshold.text(), "is_met": is_met })
        });
        let phases = self.named_phases().map(|(name, phase)| {
            json!({
                "name": name,
                "account": phase.account,
                "response": text::quantiles_json(&phase.response),
                "service": text::quantiles_json(&phase.service),
                "lag": text::quantiles_json(&phase.lag),
            })
        });
        json!({
            "schema": 1,
            "account": self.total.account,
            "duration_s": self.duration.as_secs_f64(),
            "invalid": self.invalid(),
            "thresholds": thresholds.collect::<Vec<_>>(),
            "response": text::quantiles_json(&self.total.response),
            "service": text::quantiles_json(&self.total.service),
            "lag": text::quantiles_json(&self.total.lag),
            "generator_lag": text::quantiles_json(&self.total.generator_lag),
            "phases": phases.collect::<Vec<_>>(),
            "part": self.part,
            "report": self.report,
        })
    }
}
