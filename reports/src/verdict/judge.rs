//! The judgement: one pure function from record, policy and time to a verdict.

use time::OffsetDateTime;

use super::answer::Answer;
use super::reasons::{about_a_check, about_suites, about_the_run};
use super::types::{Counts, Decision, Reason, SuiteCounts, VERDICT_VERSION, Verdict};
use crate::policy::Policy;
use crate::record::{Run, RunEvent};

/// How long the deciding reason may be, in characters: it goes into titles and events.
const LONGEST_REASON: usize = 200;

/// Judges a run by a policy.
///
/// Total: every record has a verdict. Order-free: the order of trials and of
/// findings in different trials does not matter. Monotone: removing a result,
/// adding a failed attempt to an answered check, or ageing the evidence never
/// makes the decision better; a failure is never part of a GO.
pub fn judge(run: &Run, policy: &Policy, now: OffsetDateTime) -> Verdict {
    let planned = run.plan.iter().flat_map(|plan| &plan.checks);
    let answers: Vec<_> = planned
        .map(|check| Answer::of(check, run, policy))
        .collect();
    let mut reasons = about_the_run(run, policy, now);
    reasons.extend(about_suites(run, &answers, policy));
    reasons.extend(
        answers
            .iter()
            .filter_map(|answer| about_a_check(answer, policy, now.date())),
    );
    reasons.sort_by(weightiest_first);
    let decision = reasons.first().map_or(Decision::Go, |reason| reason.allows);
    Verdict {
        v: VERDICT_VERSION,
        decision,
        reason: reasons.first().map(|reason| shortened(&reason.text)),
        reasons,
        run: run.plan.as_ref().map(|plan| plan.run.clone()),
        policy: policy.name.clone(),
        strict: policy.strict,
        judged_at: now,
        duration_ms: duration(run),
        counts: counts(&answers),
        suites: by_suite(&answers),
        checks: answers.into_iter().map(|answer| answer.judged).collect(),
    }
}

/// The worst first; of equal ones the run's before the checks', then by severity, then by text.
fn weightiest_first(a: &Reason, b: &Reason) -> std::cmp::Ordering {
    let weight = |reason: &Reason| (reason.allows, reason.check.is_none(), reason.severity);
    // What speaks against the run comes in the order of causes, checks in that of their names.
    let name = |reason: &Reason| reason.check.clone();
    weight(b)
        .cmp(&weight(a))
        .then_with(|| name(a).cmp(&name(b)))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_REASON {
        return text.to_owned();
    }
    text.chars().take(LONGEST_REASON - 1).chain(['…']).collect()
}

fn duration(run: &Run) -> Option<f64> {
    run.life.iter().rev().find_map(|line| match line.event {
        RunEvent::Finished { duration_ms } => Some(duration_ms),
        RunEvent::Identified { .. }
        | RunEvent::Incident { .. }
        | RunEvent::Leaked { .. }
        | RunEvent::Carried { .. }
        | RunEvent::Interrupted { .. } => None,
    })
}

fn counts<'a>(answers: impl IntoIterator<Item = &'a Answer<'a>>) -> Counts {
    let mut counts = Counts::default();
    answers
        .into_iter()
        .for_each(|answer| counts.add(answer.judged.status));
    counts
}

fn by_suite(answers: &[Answer<'_>]) -> Vec<SuiteCounts> {
    let mut suites: Vec<SuiteCounts> = Vec::new();
    for answer in answers {
        let name = answer.planned.id.suite();
        if !suites.iter().any(|suite| suite.suite == name) {
            suites.push(SuiteCounts {
                suite: name.to_owned(),
                counts: Counts::default(),
            });
        }
        if let Some(suite) = suites.iter_mut().find(|suite| suite.suite == name) {
            suite.counts.add(answer.judged.status);
        }
    }
    suites
}
