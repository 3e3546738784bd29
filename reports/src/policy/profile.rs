//! What a profile asks for: which suites, and how far they may go.

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::age::Age;
use super::rules::Policy;
use crate::record::{Effect, PlannedCheck, Profile};

/// What a profile asks for. What it does not ask for is not missed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRule {
    /// The suites; none means all of them.
    #[serde(default)]
    pub suites: Vec<String>,
    /// The most that a check may do to the system under test.
    #[schemars(with = "String")]
    pub effects: Effect,
    /// The capabilities that a check may need; none means any. What needs more is not asked for,
    /// so that this says what the decision is made without.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The longest that a check may wait for the system under test, by its own estimate.
    pub takes: Option<Age>,
    /// Whether production may be asked it.
    #[serde(default)]
    pub production: bool,
    /// How often every check is asked, at least once: the intensity of a soak.
    #[serde(default = "once")]
    pub rounds: NonZeroU32,
    /// How long the checks may take. A first round that takes longer is cut short, and the run is
    /// inconclusive; another round begins only where there is time for it.
    pub time_budget: Option<Age>,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl ProfileRule {
    /// Whether it asks for a suite at all.
    pub fn asks_for_suite(&self, suite: &str) -> bool {
        self.suites.is_empty() || self.suites.iter().any(|id| id == suite)
    }

    fn asks_for(&self, check: &PlannedCheck) -> bool {
        let is_allowed = |need: &String| self.needs.is_empty() || self.needs.contains(need);
        self.asks_for_suite(check.id.suite())
            && check.effect <= self.effects
            && self
                .takes
                .is_none_or(|most| Duration::from_millis(check.takes_ms) <= most.time())
            && check.needs.iter().all(is_allowed)
    }
}

impl Policy {
    /// Whether a profile asks for a check; one that the policy does not name asks for everything.
    pub fn asks_for(&self, profile: Profile, check: &PlannedCheck) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_none_or(|rule| rule.asks_for(check))
    }

    /// Whether a profile asks for a suite.
    pub fn asks_for_suite(&self, profile: Profile, suite: &str) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_none_or(|rule| rule.asks_for_suite(suite))
    }

    /// Whether production may be asked a profile; one that the policy does not name, never.
    pub fn suits_production(&self, profile: Profile) -> bool {
        let rule = self.profiles.get(&profile);
        rule.is_some_and(|rule| rule.production)
    }

    /// How often a profile asks every check.
    pub fn rounds(&self, profile: Profile) -> u32 {
        self.profiles
            .get(&profile)
            .map_or(1, |rule| rule.rounds.get())
    }

    /// How long the checks of a profile may take, if that is limited.
    pub fn time_budget(&self, profile: Profile) -> Option<Duration> {
        let budget = self.profiles.get(&profile)?.time_budget?;
        Some(budget.time())
    }

    /// The most that a profile does to the system under test.
    pub fn most_effect(&self, profile: Profile) -> Effect {
        let rule = self.profiles.get(&profile);
        rule.map_or(Effect::Destructive, |rule| rule.effects)
    }
}
