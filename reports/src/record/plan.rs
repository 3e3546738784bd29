//! The plan: every check of a run, admitted or refused, written before the run starts.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{CheckId, Criticality, Effect, Severity, SkipClass};

/// The version of the plan format that this build reads and writes.
pub const PLAN_VERSION: u32 = 1;

/// Every check of a run in order, with the reason for each refused one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format version.
    pub v: u32,
    /// The run's id.
    pub run: String,
    /// The time of planning.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The version of cutover that planned the run.
    pub cutover: String,
    /// The scope of the run.
    pub profile: Profile,
    /// The seed of the random generators.
    pub seed: u64,
    /// The target.
    pub target: TargetSummary,
    /// The selected suites and checks.
    pub selection: Selection,
    /// The checks.
    pub checks: Vec<PlannedCheck>,
    /// The rules of the selected suites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PlannedRule>,
}

/// A rule of a suite: what must hold, and which checks prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRule {
    /// Its stable id, such as `TEN-01`.
    pub id: String,
    /// What must hold, as a sentence without its full stop.
    pub statement: String,
    /// The severity of a violation.
    pub severity: Severity,
    /// The classes of the OWASP API Security Top 10 of 2023, such as `API1`.
    pub owasp: Vec<String>,
    /// The numbers of the Common Weakness Enumeration.
    pub cwe: Vec<u16>,
    /// The requirements of the OWASP Application Security Verification Standard 5.0.0, such as `8.2.2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asvs: Vec<String>,
    /// What to change after a violation; empty in plans of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Whether it keeps users apart: in production, no waiver is accepted for a critical one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub isolation: bool,
    /// The checks, or rows of checks, that prove it; none where nothing does.
    pub checks: Vec<String>,
    /// Why no check proves it, if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproved: Option<String>,
}

/// The scope of a run.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Before every push.
    Quick,
    /// The gate before promotion.
    Gate,
    /// Right after cutover.
    Smoke,
    /// For hours, to detect leaks and drift.
    Soak,
}

/// The target without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSummary {
    /// The name of the target.
    pub name: String,
    /// The environment class: local, staging or production.
    pub class: String,
    /// The kind of stack.
    pub stack: String,
    /// The target file; `None` for the embedded target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The seeded defect of the stack, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
}

/// The selected suites and checks. An empty list selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The suites.
    pub suites: Vec<String>,
    /// Substrings of check ids.
    pub filters: Vec<String>,
}

/// One check as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCheck {
    /// Its id.
    pub id: CheckId,
    /// The statement it proves, as a sentence.
    pub statement: String,
    /// The severity of a failure.
    pub severity: Severity,
    /// Whether a GO requires its result.
    pub criticality: Criticality,
    /// Its effect on the system under test.
    pub effect: Effect,
    /// The capabilities that it requires.
    pub needs: Vec<String>,
    /// What it needs and the target does not have: keys of the contract, and `own_stack`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// Its timeout in milliseconds.
    pub timeout_ms: u64,
    /// Its expected duration in milliseconds.
    #[serde(default)]
    pub takes_ms: u64,
    /// Whether it stands for many others of its kind, so that short profiles include it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_sample: bool,
    /// Its source location.
    pub source: Source,
    /// Whether it may run.
    pub admission: Admission,
}

/// The source location of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file, relative to the workspace.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// Whether a check may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It runs.
    Admitted,
    /// It does not run.
    Refused {
        /// The kind of skip.
        class: SkipClass,
        /// The reason, in words.
        reason: String,
    },
}

impl Plan {
    /// The rules that a check proves, in the order of the catalogue.
    pub fn rules_of(&self, check: &CheckId) -> impl Iterator<Item = &PlannedRule> {
        self.rules
            .iter()
            .filter(move |rule| rule.is_proved_by(check))
    }

    /// The planned check with this id.
    pub fn check(&self, id: &CheckId) -> Option<&PlannedCheck> {
        self.checks.iter().find(|check| &check.id == id)
    }
}

impl PlannedRule {
    /// How the reason begins for which a rule says nothing about the contract.
    pub const DOES_NOT_APPLY: &str = "does not apply: ";
    /// How the reason begins for which a rule that applies has no check.
    pub const NOT_CHECKED: &str = "not checked: ";

    /// Whether the rule says something about the contract.
    pub fn is_applicable(&self) -> bool {
        let unproved = self.unproved.as_deref().unwrap_or_default();
        !unproved.starts_with(Self::DOES_NOT_APPLY)
    }

    /// Whether a violation is critical and shows one user what is another's.
    pub fn is_critical_isolation(&self) -> bool {
        self.isolation && self.severity == Severity::Critical
    }

    /// Whether this check, or row of a check, proves it.
    pub fn is_proved_by(&self, check: &CheckId) -> bool {
        self.checks.iter().any(|name| {
            let rest = check.as_str().strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}

impl TargetSummary {
    /// Whether the target is of class production.
    pub fn is_production(&self) -> bool {
        self.class == "production"
    }
}

impl PlannedCheck {
    /// Whether the check runs.
    pub fn is_admitted(&self) -> bool {
        self.admission == Admission::Admitted
    }
}

impl Profile {
    /// The name of the profile in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Gate => "gate",
            Self::Smoke => "smoke",
            Self::Soak => "soak",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
