//! What speaks against a GO: about the run as a whole, about suites, about single checks.

use std::collections::BTreeSet;

use time::{Date, Duration, OffsetDateTime};

use super::answer::Answer;
use super::types::{Counts, Decision, Reason, Status};
use crate::policy::{Policy, Waiver};
use crate::record::{Plan, Run, RunEvent};

/// How far the clocks of two machines may be apart.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// A reason about the run or a suite: absence of evidence is never a GO.
fn inconclusive(text: impl Into<String>) -> Reason {
    Reason {
        allows: Decision::Inconclusive,
        check: None,
        severity: None,
        text: text.into(),
    }
}

/// What speaks against the run as a whole, causes before their consequences.
pub(super) fn about_the_run(run: &Run, policy: &Policy, now: OffsetDateTime) -> Vec<Reason> {
    let mut reasons = life(run);
    reasons.extend(run.unreadable.iter().map(|unreadable| {
        let (file, reason) = (&unreadable.file, &unreadable.reason);
        inconclusive(format!("'{file}' cannot be read: {reason}"))
    }));
    match &run.plan {
        None => reasons.push(inconclusive("the run has no plan")),
        Some(plan) if plan.checks.is_empty() => reasons.push(inconclusive("the plan is empty")),
        Some(plan) => {
            reasons.extend(strays(run, plan));
            reasons.extend(age(run, plan, policy, now).map(inconclusive));
        }
    }
    reasons
}

/// The checks that ran and are not in the plan.
fn strays(run: &Run, plan: &Plan) -> impl Iterator<Item = Reason> {
    let checks = run.trials.iter().map(|trial| &trial.check);
    let strays: BTreeSet<_> = checks.filter(|id| plan.check(id).is_none()).collect();
    let stray = |id| inconclusive(format!("'{id}' ran but is not in the plan"));
    strays.into_iter().map(stray)
}

/// What speaks against evidence from the times at which it was taken: the
/// oldest counts, so that a journal left over from an earlier run is noticed.
fn age(run: &Run, plan: &Plan, policy: &Policy, now: OffsetDateTime) -> Option<String> {
    let trials = run.trials.iter().map(|trial| trial.started_at);
    let life = run.life.iter().map(|line| line.at);
    let times = || trials.clone().chain(life.clone());
    let oldest = times().fold(plan.created_at, OffsetDateTime::min);
    let newest = times().fold(plan.created_at, OffsetDateTime::max);
    if now - oldest > policy.max_age.duration() {
        let age = policy.max_age;
        return Some(format!(
            "the run has evidence older than {age}; run it again"
        ));
    }
    let from_the_future = newest - now > CLOCK_SKEW;
    from_the_future.then(|| "the run has evidence from the future; set the clocks".to_owned())
}

/// What speaks against the run in its own journal.
fn life(run: &Run) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut identities = Vec::new();
    let mut finished = false;
    for line in &run.life {
        match &line.event {
            RunEvent::Identified { identity } => identities.push(identity),
            RunEvent::Incident { what } => reasons.push(inconclusive(what)),
            RunEvent::Leaked { file } => reasons.push(Reason {
                allows: Decision::NoGo,
                ..inconclusive(format!(
                    "a secret was found in the evidence and withheld: '{file}'"
                ))
            }),
            RunEvent::Carried {
                link, connections, ..
            } => {
                if *connections == 0 {
                    reasons.push(inconclusive(format!(
                        "nothing passed through link '{link}': the system does not go through it"
                    )));
                }
            }
            RunEvent::Interrupted { by } => {
                reasons.push(inconclusive(format!("the run was interrupted by {by}")));
            }
            RunEvent::Finished { .. } => finished = true,
        }
    }
    if !finished {
        reasons.push(inconclusive("the run did not come to its end"));
    }
    if identities.len() < 2 {
        reasons.push(inconclusive(
            "the system did not say who it was before and after the run",
        ));
    }
    if identities.windows(2).any(|pair| pair[0] != pair[1]) {
        reasons.push(inconclusive(
            "the system changed its identity during the run",
        ));
    }
    reasons
}

/// What speaks against a suite that the policy requires.
pub(super) fn about_suites(run: &Run, answers: &[Answer<'_>], policy: &Policy) -> Vec<Reason> {
    let profile = run.plan.as_ref().map(|plan| plan.profile);
    let is_asked =
        |suite: &str| profile.is_none_or(|profile| policy.asks_for_suite(profile, suite));
    let required = policy
        .suites
        .iter()
        .filter(|rule| rule.required && is_asked(&rule.id));
    required
        .filter_map(|rule| {
            let mut counts = Counts::default();
            let suite = answers
                .iter()
                .filter(|answer| answer.planned.id.suite() == rule.id);
            suite.for_each(|answer| counts.add(answer.judged.status));
            // Without a single pass a suite is no evidence, whatever the policy is content with.
            let (passed, asked) = (counts.passed, rule.min_checks.max(1));
            if counts.planned == 0 {
                Some(inconclusive(format!(
                    "suite '{}' is required and not planned",
                    rule.id
                )))
            } else if passed < asked {
                let text = format!(
                    "in suite '{}' {passed} checks passed; at least {asked} must",
                    rule.id
                );
                Some(inconclusive(text))
            } else {
                None
            }
        })
        .collect()
}

/// What speaks against a GO in the answer of one check.
pub(super) fn about_a_check(answer: &Answer<'_>, policy: &Policy, today: Date) -> Option<Reason> {
    if answer.allows == Decision::Go {
        return None;
    }
    let id = &answer.planned.id;
    let what = match answer.judged.status {
        Status::Failed | Status::Passed => "failed",
        Status::Errored => "could not tell",
        Status::Skipped => "was not asked",
        Status::NotRun => "gave no answer",
    };
    let detail = answer
        .judged
        .detail
        .as_deref()
        .unwrap_or("it does not say why");
    let (allows, text) = match policy.waiver(id) {
        Some(waiver) if waiver.holds_on(today) => (
            Decision::Conditional,
            format!("{id} {what}, which is waived {}: {detail}", terms(waiver)),
        ),
        Some(waiver) => (
            answer.allows,
            format!(
                "{id} {what}, and its waiver ended on {}: {detail}",
                waiver.expires
            ),
        ),
        None => (answer.allows, format!("{id} {what}: {detail}")),
    };
    Some(Reason {
        allows,
        check: Some(id.clone()),
        severity: Some(answer.planned.severity),
        text,
    })
}

fn terms(waiver: &Waiver) -> String {
    format!(
        "until {} by {} ({})",
        waiver.expires, waiver.owner, waiver.reason
    )
}
