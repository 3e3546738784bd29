//! The whole calibration: every reading, and what they come to.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::reading::{Ruling, ValidationOutcome};
use super::statistics::Rate;
use super::table;

/// The version of the calibration's format that this build writes.
const VERSION: u32 = 1;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Settings {
    /// The suites that were run; none means all of them.
    pub(crate) suites: Vec<String>,
    /// The seed of the sample, where only a sample of the defects was tried.
    pub(crate) sample_seed: Option<u64>,
    /// How many validations ran at a time.
    pub(crate) jobs: u16,
    /// Whether a validation went on when a check that must notice its defect had.
    pub(crate) whole: bool,
    /// What the stacks ran on, as words of a command line; none where the target said it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stack: Vec<String>,
}

/// Every reading, and what they come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Calibration {
    v: u32,
    pub(crate) id: String,
    cutover: &'static str,
    pub(crate) settings: Settings,
    /// How long it took.
    pub(crate) seconds: u64,
    /// Who asked for an early end, if somebody did.
    pub(crate) interrupted: Option<&'static str>,
    /// How many of the defects were detected.
    pub(crate) detection: Rate,
    /// How many of the sound stacks got no GO.
    pub(crate) false_alarms: Rate,
    /// The readings, in the catalog's order.
    pub(crate) readings: Vec<ValidationOutcome>,
}

impl Calibration {
    /// Sums the readings up.
    pub(crate) fn new(
        id: String,
        settings: Settings,
        readings: Vec<ValidationOutcome>,
        took: Duration,
    ) -> Self {
        let of_sound = |reading: &&ValidationOutcome| {
            matches!(reading.ruling, Ruling::Sound | Ruling::FalseAlarm)
        };
        Self {
            v: VERSION,
            id,
            cutover: env!("CARGO_PKG_VERSION"),
            settings,
            seconds: took.as_secs(),
            interrupted: None,
            detection: Rate::over(
                readings.iter().filter(|reading| !of_sound(reading)),
                |reading| reading.ruling == Ruling::Detected,
            ),
            false_alarms: Rate::over(readings.iter().filter(of_sound), |reading| {
                reading.ruling == Ruling::FalseAlarm
            }),
            readings,
        }
    }

    /// Notes who asked for an early end, if somebody did.
    pub(crate) fn interrupted(self, by: Option<&'static str>) -> Self {
        Self {
            interrupted: by,
            ..self
        }
    }

    /// Whether everything was said right.
    pub(crate) fn is_right(&self) -> bool {
        self.readings
            .iter()
            .all(|reading| reading.ruling.is_right())
    }

    /// Writes it for programs and for people.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs::write(directory.join("calibration.json"), json)?;
        fs::write(directory.join("calibration.md"), table::markdown(self))
    }
}
