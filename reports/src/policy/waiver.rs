//! Waivers: accepted exceptions, each with an owner, a ticket and a last day.

use schemars::JsonSchema;
use serde::Deserialize;
use time::{Date, Duration};

use crate::record::CheckId;

/// The longest time from the day of a run to the last day of a waiver.
pub const MAX_WAIVER_DAYS: i64 = 90;
/// The number of hexadecimal digits of a fingerprint.
const FINGERPRINT_DIGITS: usize = 32;

/// An accepted exception: what it covers is a listed risk, and does not block. It names a check, a rule or a
/// fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check; it is covered whatever its finding is, and also without a result.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub check: Option<CheckId>,
    /// The rule, such as `HDR-02`. A failed check is covered if each rule that it proves has a waiver.
    #[serde(default)]
    pub rule: Option<String>,
    /// The fingerprint of a finding, as in `findings.sarif`.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// The person who is responsible.
    pub owner: String,
    /// Why the exception is accepted.
    pub reason: String,
    /// The ticket in which the cause is removed.
    pub ticket: String,
    /// The last day of the waiver, in UTC; at most 90 days after the day of the run.
    #[serde(deserialize_with = "super::parse::date")]
    #[schemars(with = "String")]
    pub expires: Date,
}

/// What a waiver is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverSubject<'a> {
    /// A check.
    Check(&'a CheckId),
    /// A rule.
    Rule(&'a str),
    /// A finding.
    Fingerprint(&'a str),
}

impl Waiver {
    /// What the waiver is about; nothing if it names none or several.
    pub fn subject(&self) -> Option<WaiverSubject<'_>> {
        match (&self.check, &self.rule, &self.fingerprint) {
            (Some(check), None, None) => Some(WaiverSubject::Check(check)),
            (None, Some(rule), None) => Some(WaiverSubject::Rule(rule)),
            (None, None, Some(print)) => Some(WaiverSubject::Fingerprint(print)),
            _ => None,
        }
    }

    /// Whether the waiver is valid on this day.
    pub fn is_valid_on(&self, day: Date) -> bool {
        day <= self.expires
    }

    /// The last day that a waiver may name for a run on this day.
    pub fn latest_expiry(run: Date) -> Date {
        run.saturating_add(Duration::days(MAX_WAIVER_DAYS))
    }
}

impl WaiverSubject<'_> {
    /// The key of the policy that names it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Rule(_) => "rule",
            Self::Fingerprint(_) => "fingerprint",
        }
    }

    /// The value of that key.
    pub(super) fn value(&self) -> &str {
        match self {
            Self::Check(check) => check.as_str(),
            Self::Rule(text) | Self::Fingerprint(text) => text,
        }
    }
}

impl std::fmt::Display for WaiverSubject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.key(), self.value())
    }
}

/// Whether a text has the form of a fingerprint.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.len() == FINGERPRINT_DIGITS && text.bytes().all(is_digit)
}
