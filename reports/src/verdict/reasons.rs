//! Reasons against a GO, about the run as a whole, about suites and about single checks.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::assessment::Assessment;
use super::selection::empty_selections;
use super::types::{CheckStatus, Counts, Decision, Reason};
use super::waivers::{Ruling, WaiverStatus, Waivers};
use crate::policy::{Policy, Waiver};
use crate::record::{ComparisonResult, KnownMeasurement, Plan, Run, RunEvent};

/// The tolerated difference between the clocks of two machines.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// A reason about the run or a suite: missing evidence is never a GO.
fn inconclusive(text: impl Into<String>) -> Reason {
    Reason {
        allows: Decision::Inconclusive,
        check: None,
        severity: None,
        text: text.into(),
    }
}

/// The reasons about the run as a whole, causes before consequences.
pub(super) fn run_reasons(run: &Run, policy: &Policy, now: OffsetDateTime) -> Vec<Reason> {
    let plan = run.plan.iter();
    let selections = plan.flat_map(|plan| empty_selections(plan, policy));
    let mut reasons: Vec<_> = selections.map(inconclusive).collect();
    reasons.extend(journal_reasons(run));
    reasons.extend(run.unreadable.iter().map(|unreadable| {
        let (file, reason) = (&unreadable.file, &unreadable.reason);
        inconclusive(format!("'{file}' cannot be read: {reason}"))
    }));
    match &run.plan {
        None => reasons.push(inconclusive("the run has no plan")),
        Some(plan) if plan.checks.is_empty() => reasons.push(inconclusive("the plan is empty")),
        Some(plan) => {
            reasons.extend(unplanned_trials(run, plan));
            reasons.extend(age_reason(run, plan, policy, now).map(inconclusive));
        }
    }
    reasons
}

/// The trials of checks that are not in the plan.
fn unplanned_trials(run: &Run, plan: &Plan) -> impl Iterator<Item = Reason> {
    let checks = run.trials.iter().map(|trial| &trial.check);
    let unplanned: BTreeSet<_> = checks.filter(|id| plan.check(id).is_none()).collect();
    let reason = |id| inconclusive(format!("'{id}' ran but is not in the plan"));
    unplanned.into_iter().map(reason)
}

/// The reason about the age of the evidence. The oldest item counts, which
/// detects a journal of an earlier run.
fn age_reason(run: &Run, plan: &Plan, policy: &Policy, now: OffsetDateTime) -> Option<String> {
    let trials = run.trials.iter().map(|trial| trial.started_at);
    let events = run.journal.iter().map(|entry| entry.at);
    let times = || trials.clone().chain(events.clone());
    let oldest = times().fold(plan.created_at, OffsetDateTime::min);
    let newest = times().fold(plan.created_at, OffsetDateTime::max);
    if now - oldest > policy.max_age.to_time() {
        let age = policy.max_age;
        return Some(format!(
            "the run has evidence older than {age}; run it again"
        ));
    }
    let is_from_the_future = newest - now > CLOCK_SKEW;
    is_from_the_future.then(|| "the run has evidence from the future; set the clocks".to_owned())
}

/// The reasons in the run's own journal.
fn journal_reasons(run: &Run) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut identities = Vec::new();
    let mut is_finished = false;
    for entry in &run.journal {
        match &entry.event {
            RunEvent::Identified { identity } => identities.push(identity),
            RunEvent::Incident { what } => reasons.push(inconclusive(what)),
            RunEvent::Leaked { file } => reasons.push(Reason {
                allows: Decision::NoGo,
                ..inconclusive(format!(
                    "'{file}' contained a secret and its content was withheld"
                ))
            }),
            RunEvent::LinkTraffic {
                link, connections, ..
            } => {
                if *connections == 0 {
                    reasons.push(inconclusive(format!(
                        "link '{link}' has no traffic: the system does not connect through it"
                    )));
                }
            }
            RunEvent::Interrupted { by } => {
                reasons.push(inconclusive(format!("the run was interrupted by {by}")));
            }
            RunEvent::Finished { .. } => is_finished = true,
            RunEvent::GeneratorTested { results } => reasons.extend(generator_reason(results)),
            RunEvent::Compared {
                baseline,
                runs,
                result,
                reasons: causes,
            } => reasons.extend(baseline_reason(baseline, *runs, *result, causes)),
            RunEvent::Machine(_) => {}
        }
    }
    if !is_finished {
        reasons.push(inconclusive("the run did not finish"));
    }
    if identities.len() < 2 {
        reasons.push(inconclusive(
            "the system was not identified both before and after the run",
        ));
    }
    if identities.windows(2).any(|pair| pair[0] != pair[1]) {
        reasons.push(inconclusive(
            "the identity of the system changed during the run",
        ));
    }
    reasons
}

/// The reason that the load generator measures nothing on this machine.
fn generator_reason(results: &[KnownMeasurement]) -> Option<Reason> {
    let wrong = results.iter().find(|result| !result.holds);
    if results.is_empty() {
        return Some(inconclusive("the load generator was not tested"));
    }
    wrong.map(|KnownMeasurement { what, expected, measured, .. }| {
        let measured = measured.map_or("nothing".to_owned(), |it| format!("{it:.1}"));
        inconclusive(format!(
            "this machine measures wrong ({what}: {measured} instead of {expected:.1}): nothing else must run on it"
        ))
    })
}

/// The reason that a comparison with a baseline is no pass.
fn baseline_reason(
    baseline: &str,
    runs: usize,
    result: ComparisonResult,
    causes: &[String],
) -> Option<Reason> {
    let causes = causes.join("; ");
    match result {
        ComparisonResult::Passed => None,
        ComparisonResult::Failed => Some(Reason {
            allows: Decision::NoGo,
            ..inconclusive(format!(
                "worse than baseline '{baseline}' of {runs} runs: {causes}"
            ))
        }),
        ComparisonResult::Inconclusive => Some(inconclusive(format!(
            "baseline '{baseline}' of {runs} runs cannot be compared with one run: {causes}"
        ))),
    }
}

/// The reasons about suites that the policy requires.
pub(super) fn suite_reasons(
    run: &Run,
    assessments: &[Assessment<'_>],
    policy: &Policy,
) -> Vec<Reason> {
    let in_profile = |suite: &str| {
        run.profile()
            .is_none_or(|profile| policy.includes_suite(profile, suite))
    };
    let required = policy
        .suites
        .iter()
        .filter(|rule| rule.required && in_profile(&rule.id));
    required
        .filter_map(|rule| {
            let mut counts = Counts::default();
            let suite = assessments
                .iter()
                .filter(|assessment| assessment.planned.id.suite() == rule.id);
            suite.for_each(|assessment| counts.add(&assessment.verdict));
            // A suite without a single pass is no evidence, even if the policy sets no minimum.
            let (passed, minimum) = (counts.passed, rule.min_checks.max(1));
            if counts.planned == 0 {
                Some(inconclusive(format!(
                    "suite '{}' is required and not planned",
                    rule.id
                )))
            } else if passed < minimum {
                let text = format!(
                    "suite '{}' has {passed} passed checks; the minimum is {minimum}",
                    rule.id
                );
                Some(inconclusive(text))
            } else {
                None
            }
        })
        .collect()
}

/// The reason about one check.
pub(super) fn check_reason(assessment: &Assessment<'_>, waivers: &Waivers<'_>) -> Option<Reason> {
    if assessment.allows == Decision::Go {
        return None;
    }
    let id = &assessment.planned.id;
    let status = assessment.verdict.status;
    let result = match status {
        CheckStatus::Failed | CheckStatus::Passed => "failed",
        CheckStatus::Errored => "errored",
        CheckStatus::Skipped => "was skipped",
        CheckStatus::NotRun => "did not run",
    };
    let detail = assessment.verdict.detail.as_deref();
    let detail = detail.unwrap_or("no reason is recorded");
    let ruling = waivers.about(id, status == CheckStatus::Failed);
    let remark = remark(&ruling).map_or_else(String::new, |remark| format!(" ({remark})"));
    Some(Reason {
        allows: if ruling.covers() {
            Decision::Conditional
        } else {
            assessment.allows
        },
        check: Some(id.clone()),
        severity: Some(assessment.planned.severity),
        text: format!("{id} {result}{remark}: {detail}"),
    })
}

/// What the waivers say about a check: the first that covers it, or why none does.
fn remark(ruling: &Ruling<'_>) -> Option<String> {
    let (waiver, status) = ruling.about.iter().min_by_key(|(_, status)| *status)?;
    Some(match status {
        WaiverStatus::Applied => format!("waived {}", terms(waiver)),
        WaiverStatus::Expired => format!("its waiver expired on {}", waiver.expires),
        WaiverStatus::Refused => "its waiver is refused in production".to_owned(),
        WaiverStatus::Insufficient | WaiverStatus::Unused => {
            "waived only in part: it also violates what has no waiver".to_owned()
        }
    })
}

fn terms(waiver: &Waiver) -> String {
    format!(
        "until {} by {}, {}: {}",
        waiver.expires, waiver.owner, waiver.ticket, waiver.reason
    )
}
