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
}

impl TimestampFormat {
    /// Parses a timestamp; `None` if it is in any other format.
    pub fn parse(self, text: &str) -> Option<OffsetDateTime> {
        match self {
            Self::Zoned => OffsetDateTime::parse(text, &Rfc3339).ok(),
            Self::UtcWithoutZone => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok(),
        }
    }

    /// The expected format, for findings.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Zoned => "RFC 3339 with a time zone, such as 2026-01-02T03:04:05Z",
            Self::UtcWithoutZone => "UTC without a time zone, such as 2026-01-02T03:04:05",
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
