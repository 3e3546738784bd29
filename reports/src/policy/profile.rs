//! Profiles: which suites and checks a run includes, and for how long it may run.

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::human_duration::HumanDuration;
use super::rules::Policy;
use crate::record::{Effect, PlannedCheck, Profile};

/// The scope of a profile. A check outside of it does not count as missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRule {
    /// The suites; an empty list includes all of them.
    #[serde(default)]
    pub suites: Vec<String>,
    /// The greatest effect that a check may have on the system under test.
    #[schemars(with = "String")]
    pub effects: Effect,
    /// The capabilities that a check may require; an empty list allows all of them. The profile
    /// excludes a check that requires another one, so this list states what a decision does
    /// without.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What the target does not have: keys of its contract, such as `contract.database.tables.events`,
    /// and `own_stack`. The profile excludes a check that needs one of them, so this list states
    /// what a decision does without, too.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// The longest expected duration of a check.
    pub takes: Option<HumanDuration>,
    /// Whether checks that stand for many others of their kind are included although they exceed
    /// `effects` or `takes`, e.g. one fault of each link.
    #[serde(default)]
    pub samples: bool,
    /// Whether the profile may run in production.
    #[serde(default)]
    pub production: bool,
    /// How often each check runs, at least once. A soak test runs them many times.
    #[serde(default = "once")]
    pub rounds: NonZeroU32,
    /// How long a soak takes: a light load during which nothing may grow. Nine seconds, unless it is set; at most
    /// 90 minutes.
    #[serde(default, deserialize_with = "soak_length")]
    #[schemars(with = "Option<String>")]
    pub soak: Option<HumanDuration>,
    /// The time limit of all checks. A first round that exceeds it is stopped, and the run is
    /// inconclusive. Another round starts only if it fits into the remaining time.
    pub time_budget: Option<HumanDuration>,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// The longest soak.
const LONGEST_SOAK: Duration = Duration::from_mins(90);

/// Deserializes the length of a soak.
fn soak_length<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<HumanDuration>, D::Error> {
    let length = HumanDuration::deserialize(deserializer)?;
    if length.to_std().is_zero() || length.to_std() > LONGEST_SOAK {
        let text = format!("a soak takes more than 0s and at most 90m, not {length}");
        return Err(de::Error::custom(text));
    }
    Ok(Some(length))
}

impl ProfileRule {
    /// Whether the profile includes a suite.
    pub fn includes_suite(&self, suite: &str) -> bool {
        self.suites.is_empty() || self.suites.iter().any(|id| id == suite)
    }

    fn is_within_limits(&self, check: &PlannedCheck) -> bool {
        let takes = Duration::from_millis(check.takes_ms);
        let is_short = |longest: HumanDuration| takes <= longest.to_std();
        check.effect <= self.effects && self.takes.is_none_or(is_short)
    }

    fn includes(&self, check: &PlannedCheck) -> bool {
        let is_allowed = |need: &String| self.needs.is_empty() || self.needs.contains(need);
        let does_without = check.lacks.iter().any(|lack| self.lacks.contains(lack));
        !does_without
            && self.includes_suite(check.id.suite())
            && (self.is_within_limits(check) || (self.samples && check.is_sample))
            && check.needs.iter().all(is_allowed)
    }
}

impl Policy {
    /// Whether a profile includes a check. A profile without a rule includes everything.
    pub fn includes(&self, profile: Profile, check: &PlannedCheck) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_none_or(|rule| rule.includes(check))
    }

    /// Whether a profile includes a suite. A profile without a rule includes everything.
    pub fn includes_suite(&self, profile: Profile, suite: &str) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_none_or(|rule| rule.includes_suite(suite))
    }

    /// Whether a profile may run in production. A profile without a rule may not.
    pub fn allowed_in_production(&self, profile: Profile) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_some_and(|rule| rule.production)
    }

    /// How often a profile runs each check.
    pub fn rounds(&self, profile: Profile) -> u32 {
        self.profiles
            .get(&profile)
            .map_or(1, |rule| rule.rounds.get())
    }

    /// How long a soak takes in a profile, if it says so.
    pub fn soak(&self, profile: Profile) -> Option<Duration> {
        Some(self.profiles.get(&profile)?.soak?.to_std())
    }

    /// The time limit of a profile, if it has one.
    pub fn time_budget(&self, profile: Profile) -> Option<Duration> {
        let budget = self.profiles.get(&profile)?.time_budget?;
        Some(budget.to_std())
    }

    /// The greatest effect that a profile allows.
    pub fn max_effect(&self, profile: Profile) -> Effect {
        let rule = self.profiles.get(&profile);
        rule.map_or(Effect::Destructive, |rule| rule.effects)
    }
}
