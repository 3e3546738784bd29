//! The waivers of the policy, applied to the checks of a run.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::Date;

use super::assessment::Assessment;
use super::fingerprint::fingerprint;
use super::types::CheckStatus;
use crate::policy::{Policy, Waiver, WaiverSubject};
use crate::record::{CheckId, Outcome, PlannedRule, Run};

/// A waiver of the policy, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverVerdict {
    /// What it is about, such as `rule HDR-02`.
    pub subject: String,
    /// The person who is responsible.
    pub owner: String,
    /// Why the exception is accepted.
    pub reason: String,
    /// The ticket in which the cause is removed.
    pub ticket: String,
    /// The last day, such as `2026-12-31`.
    pub expires: String,
    /// What became of it.
    pub status: WaiverStatus,
    /// The checks that do not block because of it.
    pub covered: Vec<CheckId>,
    /// The checks that it is about, and that block all the same.
    pub blocking: Vec<CheckId>,
}

/// What became of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverStatus {
    /// It covers a check, which does not block.
    Applied,
    /// It is about no check of the run without a pass.
    Unused,
    /// It is about a check that has further rules or findings without a waiver, and blocks.
    Insufficient,
    /// It is about a critical violation of isolation in production, which blocks.
    Refused,
    /// Its last day is over: what it is about blocks.
    Expired,
}

/// The waivers of a policy on a day, for a run.
pub(super) struct Waivers<'a> {
    policy: &'a Policy,
    run: &'a Run,
    today: Date,
}

/// What the waivers say about one check without a pass.
pub(super) struct Ruling<'a> {
    /// The waivers that are about it, with what becomes of them.
    pub(super) about: Vec<(&'a Waiver, WaiverStatus)>,
}

impl Ruling<'_> {
    /// Whether the check does not block.
    pub(super) fn covers(&self) -> bool {
        let mut about = self.about.iter();
        about.any(|(_, status)| *status == WaiverStatus::Applied)
    }
}

impl<'a> Waivers<'a> {
    pub(super) fn new(policy: &'a Policy, run: &'a Run, today: Date) -> Self {
        Self { policy, run, today }
    }

    /// What the waivers say about a check; those by rule and by fingerprint are about failures only.
    pub(super) fn about(&self, check: &CheckId, has_failed: bool) -> Ruling<'a> {
        let (rules, prints) = if has_failed {
            (self.rules_of(check), self.fingerprints_of(check))
        } else {
            (BTreeSet::new(), BTreeSet::new())
        };
        let is_about = |waiver: &&Waiver| match waiver.subject() {
            Some(WaiverSubject::Check(waived)) => waived == check,
            Some(WaiverSubject::Rule(id)) => rules.contains(id),
            Some(WaiverSubject::Fingerprint(print)) => prints.contains(print),
            None => false,
        };
        let about: Vec<_> = self.policy.waivers.iter().filter(is_about).collect();
        let in_force: Vec<_> = about
            .iter()
            .filter(|waiver| self.objection(waiver, check).is_none())
            .filter_map(|waiver| waiver.subject())
            .collect();
        let has_each = |ids: &BTreeSet<String>, subject: fn(&str) -> WaiverSubject<'_>| {
            !ids.is_empty() && ids.iter().all(|id| in_force.contains(&subject(id)))
        };
        let by_rules = has_each(&rules, |id| WaiverSubject::Rule(id));
        let by_prints = has_each(&prints, |print| WaiverSubject::Fingerprint(print));
        let status = |waiver: &Waiver| {
            let covers = match waiver.subject() {
                Some(WaiverSubject::Check(_)) => true,
                Some(WaiverSubject::Rule(_)) => by_rules,
                Some(WaiverSubject::Fingerprint(_)) => by_prints,
                None => false,
            };
            let effect = if covers {
                WaiverStatus::Applied
            } else {
                WaiverStatus::Insufficient
            };
            self.objection(waiver, check).unwrap_or(effect)
        };
        let about = about.into_iter().map(|waiver| (waiver, status(waiver)));
        Ruling {
            about: about.collect(),
        }
    }

    /// Why a waiver that is about a check has no effect.
    fn objection(&self, waiver: &Waiver, check: &CheckId) -> Option<WaiverStatus> {
        if !waiver.is_valid_on(self.today) {
            return Some(WaiverStatus::Expired);
        }
        let plan = self.run.plan.as_ref()?;
        let mut rules = plan.rules_of(check);
        let is_refused =
            plan.target.is_production() && rules.any(PlannedRule::is_critical_isolation);
        is_refused.then_some(WaiverStatus::Refused)
    }

    /// The ids of the rules that a check proves.
    fn rules_of(&self, check: &CheckId) -> BTreeSet<String> {
        let plan = self.run.plan.iter();
        let rules = plan.flat_map(|plan| plan.rules_of(check));
        rules.map(|rule| rule.id.clone()).collect()
    }

    /// The fingerprints of all failed attempts at a check.
    fn fingerprints_of(&self, check: &CheckId) -> BTreeSet<String> {
        let trials = self.run.trials.iter();
        let failed = trials.filter(|trial| {
            let is_failure = matches!(trial.outcome(), Some(Outcome::Failed));
            trial.check == *check && (is_failure || !trial.findings.is_empty())
        });
        failed.map(|trial| fingerprint(check, trial)).collect()
    }

    /// The verdict on each waiver, in the order of the policy. The checks are those with a reason against a GO.
    pub(super) fn verdicts(
        &self,
        assessments: &[Assessment<'_>],
        with_reason: &BTreeSet<&CheckId>,
    ) -> Vec<WaiverVerdict> {
        let checks = assessments.iter().map(|assessment| &assessment.verdict);
        let checks = checks.filter(|check| with_reason.contains(&check.id));
        let rulings: Vec<_> = checks
            .map(|check| {
                let has_failed = check.status == CheckStatus::Failed;
                (&check.id, self.about(&check.id, has_failed))
            })
            .collect();
        let waivers = self.policy.waivers.iter();
        waivers
            .map(|waiver| self.verdict(waiver, &rulings))
            .collect()
    }

    fn verdict(&self, waiver: &Waiver, rulings: &[(&CheckId, Ruling<'_>)]) -> WaiverVerdict {
        let about = rulings.iter().flat_map(|(check, ruling)| {
            let about = ruling.about.iter();
            let same = about.filter(|(other, _)| std::ptr::eq(*other, waiver));
            same.map(move |(_, status)| ((*check).clone(), *status))
        });
        let about: Vec<(CheckId, WaiverStatus)> = about.collect();
        let unused = if waiver.is_valid_on(self.today) {
            WaiverStatus::Unused
        } else {
            WaiverStatus::Expired
        };
        WaiverVerdict {
            subject: waiver
                .subject()
                .map_or_else(String::new, |subject| subject.to_string()),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            ticket: waiver.ticket.clone(),
            expires: waiver.expires.to_string(),
            // The worst one: a waiver that covers one check and not another is not enough.
            status: about
                .iter()
                .map(|(_, status)| *status)
                .max()
                .unwrap_or(unused),
            covered: with_status(&about, |status| status == WaiverStatus::Applied),
            blocking: with_status(&about, |status| status != WaiverStatus::Applied),
        }
    }
}

fn with_status(
    about: &[(CheckId, WaiverStatus)],
    is_wanted: impl Fn(WaiverStatus) -> bool,
) -> Vec<CheckId> {
    let wanted = about.iter().filter(|(_, status)| is_wanted(*status));
    wanted.map(|(check, _)| check.clone()).collect()
}

impl WaiverVerdict {
    /// The waiver in one line, with its expiry.
    pub fn line(&self) -> String {
        let Self {
            subject,
            owner,
            reason,
            ticket,
            expires,
            ..
        } = self;
        let effect = self.effect();
        format!("{subject} until {expires} by {owner}, {ticket}: {reason} ({effect})")
    }

    /// What became of it, in words.
    fn effect(&self) -> String {
        let void = match self.status {
            WaiverStatus::Unused => return "unused".to_owned(),
            WaiverStatus::Applied => "",
            WaiverStatus::Insufficient => "not enough",
            WaiverStatus::Refused => "refused in production",
            WaiverStatus::Expired => "expired",
        };
        let covers = named("covers", &self.covered);
        let blocking = named(&format!("{void} for"), &self.blocking);
        let parts = [
            covers,
            blocking.or_else(|| (!void.is_empty()).then(|| void.to_owned())),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        parts.join("; ")
    }
}

/// A phrase about checks; nothing without any.
fn named(phrase: &str, checks: &[CheckId]) -> Option<String> {
    match checks {
        [] => None,
        [check] => Some(format!("{phrase} {check}")),
        several => Some(format!("{phrase} {} checks", several.len())),
    }
}
