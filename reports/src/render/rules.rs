//! The rules of a run: which hold, which are violated, and of which nothing is known.

use super::report_model::{CheckReport, ReportModel};
use crate::record::{PlannedRule, Run};
use crate::verdict::CheckStatus;

/// The standing of the rules of a run.
pub(super) struct RuleStanding<'a> {
    /// The number of rules of which every check that ran held.
    pub(super) held: usize,
    /// The rules of which a check failed, in their order.
    pub(super) violated: Vec<&'a PlannedRule>,
    /// The number of rules whose checks have no result in this run.
    pub(super) without_result: usize,
    /// The number of rules that no check proves.
    pub(super) unproved: usize,
}

/// A rule with the state that its checks give it.
pub(super) struct RuleReport<'a> {
    pub(super) rule: &'a PlannedRule,
    pub(super) state: RuleState<'a>,
}

/// What the checks of a rule say about it.
pub(super) enum RuleState<'a> {
    /// Every check that ran held.
    Held,
    /// This check failed, the worst one of those that prove the rule.
    Violated(CheckReport<'a>),
    /// This check could not tell, so that the others do not suffice.
    CouldNotTell(CheckReport<'a>),
    /// None of its checks ran; the first one says why, if the plan has one.
    NotRun(Option<CheckReport<'a>>),
    /// No check proves it, for this reason.
    Unproved(&'a str),
}

/// The rules of a run with their states, in the order of the catalogue.
pub(super) fn rules<'a>(run: &'a Run, model: &ReportModel<'a>) -> Vec<RuleReport<'a>> {
    let plan = run.plan.iter();
    let rules = plan.flat_map(|plan| &plan.rules);
    rules
        .map(|rule| RuleReport {
            rule,
            state: state(rule, model),
        })
        .collect()
}

fn state<'a>(rule: &'a PlannedRule, model: &ReportModel<'a>) -> RuleState<'a> {
    if rule.checks.is_empty() {
        return RuleState::Unproved(rule.unproved.as_deref().unwrap_or("no check proves it"));
    }
    let proves = |check: &&CheckReport<'a>| rule.is_proved_by(&check.verdict.id);
    // The worst failure comes first.
    if let Some(failed) = model.failed.iter().find(proves) {
        return RuleState::Violated(*failed);
    }
    let checks: Vec<_> = model.checks.iter().filter(proves).collect();
    let with = |is_wanted: fn(CheckStatus) -> bool| {
        let mut checks = checks.iter();
        checks.find(|check| is_wanted(check.verdict.status))
    };
    let is_unknown = |status| matches!(status, CheckStatus::Errored | CheckStatus::NotRun);
    if let Some(unknown) = with(is_unknown) {
        return RuleState::CouldNotTell(**unknown);
    }
    match with(|status| status == CheckStatus::Passed) {
        Some(_) => RuleState::Held,
        None => RuleState::NotRun(checks.first().map(|check| **check)),
    }
}

/// The standing of the rules of a run; nothing for a run without rules.
pub(super) fn standing<'a>(run: &'a Run, model: &ReportModel<'a>) -> Option<RuleStanding<'a>> {
    let rules = rules(run, model);
    let mut standing = RuleStanding {
        held: 0,
        violated: Vec::new(),
        without_result: 0,
        unproved: 0,
    };
    for RuleReport { rule, state } in &rules {
        match state {
            RuleState::Held => standing.held += 1,
            RuleState::Violated(_) => standing.violated.push(rule),
            RuleState::CouldNotTell(_) | RuleState::NotRun(_) => standing.without_result += 1,
            RuleState::Unproved(_) => standing.unproved += 1,
        }
    }
    (!rules.is_empty()).then_some(standing)
}
