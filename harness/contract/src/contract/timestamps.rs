//! How a target writes the times in its answers, and the reader of them by that rule alone.

use cutover_reports::record::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::contract::Contract;
use cutover_evidence::stop::{CheckResult, Stop};

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// As RFC 3339 has it, with a zone: `2026-01-02T03:04:05Z`.
    Zoned,
    /// The same without a zone, which is UTC: `2026-01-02T03:04:05.678`.
    UtcWithoutZone,
}

impl TimestampFormat {
    /// The time that a text gives; `None` where it is written in another way, be it the other one.
    pub fn read(self, text: &str) -> Option<OffsetDateTime> {
        match self {
            Self::Zoned => OffsetDateTime::parse(text, &Rfc3339).ok(),
            Self::UtcWithoutZone => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok(),
        }
    }

    /// What a time should look like, for findings.
    fn form(self) -> &'static str {
        match self {
            Self::Zoned => "RFC 3339 with a zone, such as 2026-01-02T03:04:05Z",
            Self::UtcWithoutZone => "UTC without a zone, such as 2026-01-02T03:04:05",
        }
    }
}

impl Contract {
    /// The time that a text of an answer gives; a finding about `what` where it is not written as promised.
    pub fn time(&self, what: &str, text: &str) -> CheckResult<OffsetDateTime> {
        let times = self.fields.times;
        times.read(text).ok_or_else(|| {
            let summary = format!("{what} is no time as the contract has it (fields.times)");
            Stop::violated(Finding::new(summary).comparing(times.form(), text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_by_the_rule_of_its_contract_and_by_no_other() {
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
            assert_eq!(zoned.read(text).is_some(), as_zoned, "{text}");
            assert_eq!(bare.read(text).is_some(), as_bare, "{text}");
        }
        let [same, also] = [
            zoned.read("2026-01-02T04:04:05+01:00"),
            bare.read("2026-01-02T03:04:05"),
        ];
        assert_eq!(same, also);
    }

    #[test]
    fn a_time_in_another_form_is_a_finding_that_shows_the_right_one() {
        let contract = Contract::fixture();
        let read = contract.time("the end", "2026-01-02T03:04:05");
        let Err(Stop::Violated(finding)) = read else {
            panic!("expected a finding, not {read:?}")
        };
        assert!(finding.summary.starts_with("the end is no time"));
        assert!(finding.expected.unwrap().contains("with a zone"));
        assert_eq!(finding.actual.as_deref(), Some("2026-01-02T03:04:05"));
    }
}
