//! How a target writes the times in its answers, and the reader of them by that rule alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The format of timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// RFC 3339 with a time zone: `2026-01-02T03:04:05Z`.
    Zoned,
    /// RFC 3339 without a time zone, in UTC: `2026-01-02T03:04:05.678`.
    UtcWithoutZone,
    /// Seconds since 1970, as a number or as text.
    UnixSeconds,
    /// Milliseconds since 1970, as a number or as text.
    UnixMillis,
}

/// The formats of timestamps that a target uses: one, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TimestampFormats {
    /// The format of every timestamp.
    One(TimestampFormat),
    /// Each timestamp has one of these formats.
    Several(Vec<TimestampFormat>),
}

impl TimestampFormats {
    fn all(&self) -> &[TimestampFormat] {
        match self {
            Self::One(format) => std::slice::from_ref(format),
            Self::Several(formats) => formats,
        }
    }

    /// Parses a timestamp; `None` if it is in none of the formats.
    pub fn parse(&self, text: &str) -> Option<OffsetDateTime> {
        self.all().iter().find_map(|format| format.parse(text))
    }

    /// The expected formats, for findings.
    pub(super) fn description(&self) -> String {
        let each = self.all().iter().map(|format| format.description());
        each.collect::<Vec<_>>().join(", or ")
    }
}

/// A number of units since 1970; far-off times are not plausible and are no timestamps.
fn since_1970(text: &str, units_per_second: f64) -> Option<OffsetDateTime> {
    const NANOS: f64 = 1e9;
    // The year 2001: no answer of a run is older, and seconds are not mistaken for milliseconds.
    const LEAST_S: f64 = 1e9;
    const MOST_S: f64 = 1e10;
    let seconds = text.parse::<f64>().ok()? / units_per_second;
    if !(LEAST_S..MOST_S).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was verified above"
    )]
    let nanos = (seconds * NANOS) as i128;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

impl TimestampFormat {
    /// Parses a timestamp; `None` if it is in any other format.
    pub fn parse(self, text: &str) -> Option<OffsetDateTime> {
        match self {
            Self::Zoned => OffsetDateTime::parse(text, &Rfc3339).ok(),
            Self::UtcWithoutZone => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok(),
            Self::UnixSeconds => since_1970(text, 1.0),
            Self::UnixMillis => since_1970(text, 1e3),
        }
    }

    /// The expected format, for findings.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Zoned => "RFC 3339 with a time zone, such as 2026-01-02T03:04:05Z",
            Self::UtcWithoutZone => "UTC without a time zone, such as 2026-01-02T03:04:05",
            Self::UnixSeconds => "seconds since 1970, such as 1767323045",
            Self::UnixMillis => "milliseconds since 1970, such as 1767323045000",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use cutover_evidence::stop::Stop;

    #[test]
    fn a_timestamp_is_parsed_only_in_the_declared_format() {
        let (zoned, bare) = (TimestampFormat::Zoned, TimestampFormat::UtcWithoutZone);
        for (text, as_zoned, as_bare) in [
            ("2026-01-02T03:04:05Z", true, false),
            ("2026-01-02T04:04:05.5+01:00", true, false),
            ("2026-01-02T03:04:05", false, true),
            ("2026-01-02T03:04:05.123456", false, true),
            ("2026-01-02", false, false),
            ("2026-13-02T03:04:05", false, false),
            ("1767323045", false, false),
            ("", false, false),
        ] {
            assert_eq!(zoned.parse(text).is_some(), as_zoned, "{text}");
            assert_eq!(bare.parse(text).is_some(), as_bare, "{text}");
        }
        let [same, also] = [
            zoned.parse("2026-01-02T04:04:05+01:00"),
            bare.parse("2026-01-02T03:04:05"),
        ];
        assert_eq!(same, also);
    }

    #[test]
    fn several_formats_may_be_used_at_once() {
        let formats = [
            TimestampFormat::UnixSeconds,
            TimestampFormat::UnixMillis,
            TimestampFormat::Zoned,
        ];
        let formats = TimestampFormats::Several(formats.to_vec());
        let same = ["1767323045", "1767323045000", "2026-01-02T03:04:05Z"];
        let parsed = same.map(|text| formats.parse(text).unwrap());
        assert!(parsed.iter().all(|time| *time == parsed[0]), "{parsed:?}");
        assert_eq!(formats.parse("2026-01-02T03:04:05"), None);
        assert_eq!(formats.parse("17"), None);
    }

    #[test]
    fn a_timestamp_in_another_format_is_a_finding_with_the_expected_format() {
        let contract = Contract::fixture();
        let result = contract.time("the end", "2026-01-02T03:04:05");
        let Err(Stop::Violated(finding)) = result else {
            panic!("expected a finding, not {result:?}")
        };
        assert!(
            finding
                .summary
                .starts_with("the end is not in the timestamp format")
        );
        assert!(finding.expected.unwrap().contains("with a time zone"));
        assert_eq!(finding.actual.as_deref(), Some("2026-01-02T03:04:05"));
    }
}
