//! How old evidence may be: a length of time as people write it, `90m`, `2h`, `7d`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

/// A length of time as people write it: a number and one of `s`, `m`, `h`, `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Age(Duration);

/// A text that is no length of time.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no length of time: write a number and one of s, m, h, d, as in \"2h\"")]
pub struct InvalidAge(String);

impl Age {
    /// The length, to reckon with dates.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// The length, to measure with.
    pub fn time(self) -> std::time::Duration {
        self.0.unsigned_abs()
    }
}

impl FromStr for Age {
    type Err = InvalidAge;

    fn from_str(text: &str) -> Result<Self, InvalidAge> {
        let invalid = || InvalidAge(text.to_owned());
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

impl TryFrom<String> for Age {
    type Error = InvalidAge;

    fn try_from(text: String) -> Result<Self, InvalidAge> {
        text.parse()
    }
}

impl fmt::Display for Age {
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
    fn lengths_are_written_as_they_are_read() {
        for text in ["0s", "90m", "2h", "7d", "45s"] {
            assert_eq!(text.parse::<Age>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
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
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
