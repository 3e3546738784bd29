//! The result of a calibration: every outcome, and the rates computed from them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::outcome::{Ruling, ValidationOutcome};
use super::statistics::Rate;
use super::table;

/// The version of the format of `calibration.json`.
const VERSION: u32 = 1;

/// The settings of a calibration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Settings {
    /// The suites that ran; an empty list means all.
    pub(crate) suites: Vec<String>,
    /// The seed of the sample, if only a sample of the defects was tried.
    pub(crate) sample_seed: Option<u64>,
    /// The number of validations that ran in parallel.
    pub(crate) jobs: u16,
    /// Whether a validation continued after a check had detected the defect.
    #[serde(rename = "whole")]
    pub(crate) no_early_stop: bool,
    /// Which of the checks that detected a defect ran again alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rerun: Option<Rerun>,
    /// The `--stack` option as arguments; empty for the target's own backend.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stack: Vec<String>,
}

/// Which of the checks that detected a defect run again alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rerun {
    /// The first one of each defect.
    First,
    /// All of them.
    All,
}

/// Every outcome, and the rates computed from them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Calibration {
    v: u32,
    pub(crate) id: String,
    cutover: &'static str,
    pub(crate) settings: Settings,
    /// The duration of the calibration.
    pub(crate) seconds: u64,
    /// The signal that interrupted the calibration.
    pub(crate) interrupted: Option<&'static str>,
    /// The rate of detected defects.
    pub(crate) detection: Rate,
    /// The rate of runs without a defect that did not get a GO.
    pub(crate) false_alarms: Rate,
    /// The rate of checks that detected a defect, and passed when they ran again alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed_alone: Option<Rate>,
    /// The outcomes, in the catalog's order.
    #[serde(rename = "readings")]
    pub(crate) outcomes: Vec<ValidationOutcome>,
}

impl Calibration {
    /// Computes the rates of the outcomes.
    pub(crate) fn new(
        id: String,
        settings: Settings,
        outcomes: Vec<ValidationOutcome>,
        elapsed: Duration,
    ) -> Self {
        let is_healthy = |outcome: &&ValidationOutcome| {
            matches!(outcome.ruling, Ruling::Sound | Ruling::FalseAlarm)
        };
        let reruns = || outcomes.iter().flat_map(|outcome| &outcome.reruns);
        let passed_alone = settings
            .rerun
            .map(|_| Rate::over(reruns(), |rerun| !rerun.failed));
        Self {
            v: VERSION,
            id,
            cutover: env!("CARGO_PKG_VERSION"),
            settings,
            passed_alone,
            seconds: elapsed.as_secs(),
            interrupted: None,
            detection: Rate::over(
                outcomes.iter().filter(|outcome| !is_healthy(outcome)),
                |outcome| outcome.ruling == Ruling::Detected,
            ),
            false_alarms: Rate::over(outcomes.iter().filter(is_healthy), |outcome| {
                outcome.ruling == Ruling::FalseAlarm
            }),
            outcomes,
        }
    }

    /// Sets the signal that interrupted the calibration, if any did.
    pub(crate) fn interrupted(self, by: Option<&'static str>) -> Self {
        Self {
            interrupted: by,
            ..self
        }
    }

    /// Whether every defect was detected, again by a check alone, and there was no false alarm.
    pub(crate) fn is_right(&self) -> bool {
        let fails_alone = self.passed_alone.is_none_or(|rate| rate.hits == 0);
        let mut outcomes = self.outcomes.iter();
        fails_alone && outcomes.all(|outcome| outcome.ruling.is_right())
    }

    /// Writes `calibration.json` and `calibration.md`.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs::write(directory.join("calibration.json"), json)?;
        fs::write(directory.join("calibration.md"), table::markdown(self))
    }
}
