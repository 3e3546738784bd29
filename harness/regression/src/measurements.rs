//! What one run measured, and on which machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// What one run measured: the content of `measurements.json` in its directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// The version of the format.
    pub format: u32,
    /// The id of the run.
    pub run: String,
    /// The name of the target.
    pub target: String,
    /// The profile of the policy.
    pub profile: String,
    /// The machine that measured.
    pub machine: Machine,
    /// The measurements, each with a name of its own.
    pub values: Vec<Measurement>,
}

/// The machine that measured: results of different machines are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The number of logical processors.
    pub cpus: u32,
    /// The name of the processor.
    pub model: String,
    /// The operating system and its version.
    pub os: String,
}

/// One measured value of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The name, unique in the run.
    pub name: String,
    /// The unit of the value.
    pub unit: String,
    /// Which values are better.
    pub better: Better,
    /// Whether a regression of it fails the run; otherwise it is only reported.
    pub gated: bool,
    /// The value, unless nothing could be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Why the value is no measurement, if it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// How the value changed while it was measured: pairs of a time, in seconds since the start, and a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<[f64; 2]>,
}

/// Which values of a measurement are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// A time, or a number of errors.
    Lower,
    /// A rate.
    Higher,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}, {}", self.cpus, self.model, self.os)
    }
}

impl Measurements {
    /// The measurement with this name.
    pub fn get(&self, name: &str) -> Option<&Measurement> {
        self.values.iter().find(|value| value.name == name)
    }
}

impl Measurement {
    /// The value, or why there is none that can be compared.
    pub fn usable(&self) -> Result<f64, String> {
        match (&self.invalid, self.value) {
            (Some(reason), _) => Err(reason.clone()),
            (None, None) => Err("it has no value".to_owned()),
            (None, Some(value)) if !value.is_finite() => Err(format!("its value is {value}")),
            (None, Some(value)) if value < 0.0 => Err(format!("its value {value} is negative")),
            (None, Some(value)) => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(value: Option<f64>, invalid: Option<&str>) -> Measurement {
        Measurement {
            name: "latency.p50".to_owned(),
            unit: "ms".to_owned(),
            better: Better::Lower,
            gated: true,
            value,
            invalid: invalid.map(str::to_owned),
            series: Vec::new(),
        }
    }

    #[test]
    fn only_a_finite_value_that_nothing_invalidates_is_usable() {
        for (value, invalid, expected) in [
            (Some(2.5), None, Ok(2.5)),
            (Some(0.0), None, Ok(0.0)),
            (Some(2.5), Some("late"), Err("late")),
            (None, Some("late"), Err("late")),
            (None, None, Err("it has no value")),
            (Some(f64::NAN), None, Err("its value is NaN")),
            (Some(-1.0), None, Err("its value -1 is negative")),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(measurement(value, invalid).usable(), expected);
        }
    }

    #[test]
    fn fields_that_are_absent_are_not_written() {
        let json = serde_json::to_value(measurement(Some(2.5), None)).unwrap();
        let expected = serde_json::json!({
            "name": "latency.p50", "unit": "ms", "better": "lower", "gated": true, "value": 2.5,
        });
        assert_eq!(json, expected);
        let read: Measurement = serde_json::from_value(json).unwrap();
        assert_eq!(read, measurement(Some(2.5), None));
    }
}
