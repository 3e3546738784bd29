//! Durations as a policy file writes them: `90m`, `2h`, `7d`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

/// A duration: a number and one of the units `s`, `m`, `h`, `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct HumanDuration(Duration);

/// A text that is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a duration: write a number and one of s, m, h, d, as in \"2h\"")]
pub struct InvalidDuration(String);

impl HumanDuration {
    /// The duration, for arithmetic with dates.
    pub fn to_time(self) -> Duration {
        self.0
    }

    /// The duration, for timers.
    pub fn to_std(self) -> std::time::Duration {
        self.0.unsigned_abs()
    }
}

impl FromStr for HumanDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = || InvalidDuration(text.to_owned());
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(invalid)?;
        let (number, unit) = text.split_at(split);
        let seconds: i64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(invalid()),
        };
        let number: i64 = number.parse().map_err(|_| invalid())?;
        let seconds = number.checked_mul(seconds).ok_or_else(invalid)?;
        Ok(Self(Duration::seconds(seconds)))
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = InvalidDuration;

    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        text.parse()
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.whole_seconds();
        match [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
            .iter()
            .find(|(unit, _)| seconds % unit == 0)
        {
            Some((unit, letter)) if seconds > 0 => write!(f, "{}{letter}", seconds / unit),
            _ => write!(f, "{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_printed_as_it_was_parsed() {
        for text in ["0s", "90m", "2h", "7d", "45s"] {
            assert_eq!(text.parse::<HumanDuration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_text_that_is_not_a_duration_is_rejected() {
        for text in [
            "",
            "2",
            "h",
            "2 h",
            "-2h",
            "2w",
            "99999999999999999999d",
            "9223372036854775807d",
        ] {
            assert!(text.parse::<HumanDuration>().is_err(), "{text}");
        }
    }
}
