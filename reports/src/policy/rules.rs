//! The rules of a policy file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use time::Date;

use super::human_duration::HumanDuration;
use super::objective::Objective;
use super::profile::ProfileRule;
use crate::record::{CheckId, Profile, Severity};

/// The rules for a GO.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version of the file format: 1.
    pub schema: u32,
    /// The name of the gate in reports.
    pub name: String,
    /// The lowest severity at which a failed check is a NO-GO; `high` by default.
    #[serde(default = "default_bar")]
    pub bar: Severity,
    /// The greatest age of evidence.
    pub max_age: HumanDuration,
    /// Whether CONDITIONAL is not a pass, as with `--strict`.
    #[serde(default)]
    pub strict: bool,
    /// The rules for the suites.
    #[serde(rename = "suite")]
    pub suites: Vec<SuiteRule>,
    /// The rules for the profiles. A profile without a rule includes everything.
    #[serde(default, rename = "profile")]
    #[schemars(with = "BTreeMap<String, ProfileRule>")]
    pub profiles: BTreeMap<Profile, ProfileRule>,
    /// What measured values must reach.
    #[serde(default, rename = "objective")]
    pub objectives: Vec<Objective>,
    /// The accepted exceptions.
    #[serde(default, rename = "waiver")]
    pub waivers: Vec<Waiver>,
}

fn default_bar() -> Severity {
    Severity::High
}

/// The rule for a suite.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteRule {
    /// The suite.
    pub id: String,
    /// Whether a GO requires the suite.
    pub required: bool,
    /// The minimum number of its checks that must pass. A failed check does not count.
    #[serde(default)]
    pub min_checks: usize,
}

/// An accepted exception: a check without a pass becomes a listed risk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check.
    #[schemars(with = "String")]
    pub check: CheckId,
    /// The person who is responsible.
    pub owner: String,
    /// Why the exception is accepted.
    pub reason: String,
    /// The last day of the waiver, in UTC.
    #[serde(deserialize_with = "super::parse::date")]
    #[schemars(with = "String")]
    pub expires: Date,
}

impl Policy {
    /// The rule for a suite.
    pub fn suite(&self, id: &str) -> Option<&SuiteRule> {
        self.suites.iter().find(|rule| rule.id == id)
    }

    /// The waiver for a check.
    pub fn waiver(&self, check: &CheckId) -> Option<&Waiver> {
        self.waivers.iter().find(|waiver| &waiver.check == check)
    }

    /// Whether a failure of a check on this day is a NO-GO, regardless of all other results.
    pub fn is_no_go(&self, check: &CheckId, severity: Severity, day: Date) -> bool {
        severity >= self.bar
            && !self
                .waiver(check)
                .is_some_and(|waiver| waiver.is_valid_on(day))
    }

    /// Whether a GO requires a suite.
    pub fn requires(&self, suite: &str) -> bool {
        self.suite(suite).is_some_and(|rule| rule.required)
    }
}

impl Waiver {
    /// Whether the waiver is valid on this day.
    pub fn is_valid_on(&self, day: Date) -> bool {
        day <= self.expires
    }
}
