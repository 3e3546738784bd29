//! The rules of a run: how many hold, which are violated, and for how many nothing is known.

use std::collections::BTreeSet;

use crate::record::{CheckId, PlannedRule, Run};
use crate::verdict::{CheckStatus, Verdict};

/// The standing of the rules of a run.
pub(super) struct RuleStanding<'a> {
    /// The rules of which every check that ran held.
    pub(super) held: usize,
    /// The rules of which a check failed, in their order.
    pub(super) violated: Vec<&'a PlannedRule>,
    /// The rules whose checks have no result in this run.
    pub(super) without_result: usize,
    /// The rules that no check proves.
    pub(super) unproved: usize,
}

/// The standing of the rules of a run; nothing for a run without rules.
pub(super) fn standing<'a>(run: &'a Run, verdict: &Verdict) -> Option<RuleStanding<'a>> {
    let rules = &run.plan.as_ref()?.rules;
    let with = |status: CheckStatus| -> BTreeSet<&CheckId> {
        let checks = verdict.checks.iter();
        let checks = checks.filter(|check| check.status == status);
        checks.map(|check| &check.id).collect()
    };
    let (passed, failed) = (with(CheckStatus::Passed), with(CheckStatus::Failed));
    let is_any = |rule: &PlannedRule, checks: &BTreeSet<&CheckId>| {
        checks.iter().any(|check| rule.is_proved_by(check))
    };
    let mut standing = RuleStanding {
        held: 0,
        violated: Vec::new(),
        without_result: 0,
        unproved: 0,
    };
    for rule in rules {
        if rule.checks.is_empty() {
            standing.unproved += 1;
        } else if is_any(rule, &failed) {
            standing.violated.push(rule);
        } else if is_any(rule, &passed) {
            standing.held += 1;
        } else {
            standing.without_result += 1;
        }
    }
    (!rules.is_empty()).then_some(standing)
}
