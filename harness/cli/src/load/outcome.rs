//! Whether a load was a valid measurement, and whether it met its thresholds.

use std::ops::Range;
use std::time::Duration;

use cutover_load::{
    Circumstances, MachineUse, Measured, Report, SeriesError, Validity, steadiness, validity,
};
use cutover_reports::exit;
use serde_json::{Value, json};

use super::shard_file::Part;
use super::text;
use super::threshold::Threshold;

/// Whether a part of a load meets a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Met,
    Missed,
    /// What the threshold is about was not a valid measurement.
    Inconclusive,
}

/// Whether a load was a valid measurement, in total and by phase.
#[derive(Clone, Debug)]
pub(super) struct Validities {
    pub(super) whole: Validity,
    /// The phases; none if the load has no named phases.
    pub(super) phases: Vec<Validity>,
    /// What the machine used; `None` if that was not measured here.
    pub(super) machine: Option<MachineUse>,
}

impl Validities {
    /// Judges a load whose phases have these seconds with one rate.
    pub(super) fn new(
        report: &Report,
        seconds: &[Range<usize>],
        machine: Option<MachineUse>,
    ) -> Result<Self, SeriesError> {
        // Several phases have different rates, so the whole of them is not steady.
        let steady = match seconds {
            [one] => one.clone(),
            _ => 0..0,
        };
        let circumstances = Circumstances {
            steady,
            machine: machine.unwrap_or_default(),
        };
        Ok(Self {
            whole: validity(report, &circumstances)?,
            phases: seconds
                .iter()
                .map(|phase| steadiness(report, phase))
                .collect(),
            machine,
        })
    }
}

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
    pub(super) validities: Validities,
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
        let validity = &self.validities.whole;
        (!validity.is_valid()).then(|| validity.to_string())
    }

    /// The phases with their names.
    pub(super) fn named_phases(&self) -> impl Iterator<Item = (&String, &Measured)> {
        self.phases.iter().zip(&self.report.phases)
    }

    /// Whether each named phase was in a steady state.
    pub(super) fn phase_validities(&self) -> impl Iterator<Item = (&String, &Validity)> {
        self.phases.iter().zip(&self.validities.phases)
    }

    /// Whether the part of the load that a threshold is for meets it.
    ///
    /// A server that cannot keep the rate is in no steady state. A threshold that it misses is missed all the same: a
    /// longer load would show it to be worse. One that it meets is not met for certain.
    pub(super) fn standing(&self, threshold: &Threshold) -> Standing {
        let is_of = |name: &String| threshold.phase() == Some(name);
        let mut phases = self.named_phases();
        let part = match threshold.phase() {
            None => Some(&self.total),
            Some(_) => phases.find_map(|(name, measured)| is_of(name).then_some(measured)),
        };
        let is_met = part.is_some_and(|part| threshold.is_met(part));
        let mut validities = self.phase_validities();
        let is_unsteady = validities.any(|(name, validity)| is_of(name) && !validity.is_valid());
        let is_overloaded = matches!(self.validities.whole, Validity::NotSteady { .. })
            && self.problem.is_none()
            && self.total.account.ok > 0;
        match (self.invalid().is_some(), is_met) {
            (true, false) if is_overloaded => Standing::Missed,
            (true, _) => Standing::Inconclusive,
            (false, false) => Standing::Missed,
            (false, true) if is_unsteady => Standing::Inconclusive,
            (false, true) => Standing::Met,
        }
    }

    /// The exit code. A threshold that is certainly missed counts more than one that cannot be judged.
    pub(super) fn code(&self) -> u8 {
        let standings = self.thresholds.iter().map(|it| self.standing(it));
        let standings: Vec<_> = standings.collect();
        if standings.contains(&Standing::Missed) {
            exit::NO_GO
        } else if self.invalid().is_some() || standings.contains(&Standing::Inconclusive) {
            exit::INCONCLUSIVE
        } else {
            exit::GO
        }
    }

    /// The outcome as JSON. Its histograms can be merged with those of other shards.
    pub(super) fn json(&self) -> Value {
        let thresholds = self.thresholds.iter().map(|threshold| {
            let is_met = match self.standing(threshold) {
                Standing::Met => Some(true),
                Standing::Missed => Some(false),
                Standing::Inconclusive => None,
            };
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
            "validity": self.validities.whole.to_string(),
            "stolen": self.validities.machine.and_then(|machine| machine.stolen),
            "core_share": self.validities.machine.and_then(|machine| machine.core_share),
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
