//! The rules of a policy file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use time::Date;

use super::human_duration::HumanDuration;
use super::objective::Objective;
use super::profile::ProfileRule;
use super::waiver::{Waiver, WaiverSubject};
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
    /// The file, for errors that are found with a plan.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) file: PolicyFile,
}

/// The file of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    /// Its name in errors.
    pub(crate) origin: String,
    /// Its text.
    pub(crate) text: String,
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

impl Policy {
    /// The rule for a suite.
    pub fn suite(&self, id: &str) -> Option<&SuiteRule> {
        self.suites.iter().find(|rule| rule.id == id)
    }

    /// Whether a failure of a check on this day is a NO-GO, regardless of all other results. It is not, if a
    /// waiver covers it or may cover it: which rule or fingerprint a failure has is known at the end.
    pub fn is_no_go(&self, check: &CheckId, severity: Severity, day: Date) -> bool {
        let may_cover = |waiver: &Waiver| match waiver.subject() {
            Some(WaiverSubject::Check(waived)) => waived == check,
            Some(WaiverSubject::Rule(_) | WaiverSubject::Fingerprint(_)) => true,
            None => false,
        };
        let mut waivers = self.waivers.iter();
        severity >= self.bar && !waivers.any(|waiver| waiver.is_valid_on(day) && may_cover(waiver))
    }

    /// Whether a GO requires a suite.
    pub fn requires(&self, suite: &str) -> bool {
        self.suite(suite).is_some_and(|rule| rule.required)
    }
}
