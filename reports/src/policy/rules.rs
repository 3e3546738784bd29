//! What a policy says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use time::Date;

use super::age::Age;
use super::profile::ProfileRule;
use crate::record::{CheckId, Profile, Severity};

/// The rules of a go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version of the file's format: 1.
    pub schema: u32,
    /// What the gate is called in reports.
    pub name: String,
    /// From which severity on a failed check is a NO-GO; `high` where it is not said.
    #[serde(default = "default_bar")]
    pub bar: Severity,
    /// How old evidence may be.
    pub max_age: Age,
    /// Whether a CONDITIONAL is no pass, as with `--strict`.
    #[serde(default)]
    pub strict: bool,
    /// What is asked of the suites.
    #[serde(rename = "suite")]
    pub suites: Vec<SuiteRule>,
    /// What the profiles ask for; one that is not named asks for everything.
    #[serde(default, rename = "profile")]
    #[schemars(with = "BTreeMap<String, ProfileRule>")]
    pub profiles: BTreeMap<Profile, ProfileRule>,
    /// Accepted exceptions.
    #[serde(default, rename = "waiver")]
    pub waivers: Vec<Waiver>,
}

fn default_bar() -> Severity {
    Severity::High
}

/// What is asked of a suite.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteRule {
    /// The suite.
    pub id: String,
    /// Whether there is no GO without it.
    pub required: bool,
    /// How many of its checks must have passed: a failure never stands in for a missing answer.
    #[serde(default)]
    pub min_checks: usize,
}

/// An accepted exception: a failed or unanswered check that becomes a listed risk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check.
    #[schemars(with = "String")]
    pub check: CheckId,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it counts, in UTC.
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

    /// Whether the failure of a check is a NO-GO on this day, whatever else is known.
    pub fn stops_at(&self, check: &CheckId, severity: Severity, day: Date) -> bool {
        severity >= self.bar
            && !self
                .waiver(check)
                .is_some_and(|waiver| waiver.holds_on(day))
    }

    /// Whether a suite is required.
    pub fn requires(&self, suite: &str) -> bool {
        self.suite(suite).is_some_and(|rule| rule.required)
    }
}

impl Waiver {
    /// Whether it still counts on this day.
    pub fn holds_on(&self, day: Date) -> bool {
        day <= self.expires
    }
}
