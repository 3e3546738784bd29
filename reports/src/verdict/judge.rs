//! The judge: a pure function from a record, a policy and a time to a verdict.

use time::OffsetDateTime;

use super::assessment::Assessment;
use super::groups::{deciding_reason, groups};
use super::objectives::objectives;
use super::reasons::{check_reason, run_reasons, suite_reasons};
use super::types::{Counts, Decision, Reason, SuiteCounts, VERDICT_VERSION, Verdict};
use super::waivers::Waivers;
use crate::policy::Policy;
use crate::record::{Run, RunEvent};

/// The maximum length of the deciding reason in characters, because titles and events contain it.
const MAX_REASON: usize = 200;

/// Judges a run by a policy.
///
/// Total: every record has a verdict. Order-free: the order of trials, and of
/// findings in different trials, does not matter. Monotone: a removed result, an
/// additional failed attempt or older evidence never improves the decision. A
/// failure is never part of a GO.
pub fn judge(run: &Run, policy: &Policy, now: OffsetDateTime) -> Verdict {
    let planned = run.plan.iter().flat_map(|plan| &plan.checks);
    let assessments: Vec<_> = planned
        .map(|check| Assessment::new(check, run, policy))
        .collect();
    let mut reasons = run_reasons(run, policy, now);
    reasons.extend(suite_reasons(run, &assessments, policy));
    let waivers = Waivers::new(policy, run, now.date());
    reasons.extend(
        assessments
            .iter()
            .filter_map(|assessment| check_reason(assessment, &waivers)),
    );
    let (objectives, missed) = objectives(run, &assessments, policy, &waivers);
    reasons.extend(missed);
    let with_reason = reasons.iter().filter_map(|it| it.check.as_ref()).collect();
    let waivers = waivers.verdicts(&assessments, &with_reason);
    reasons.sort_by(worst_first);
    let groups = groups(&assessments, run);
    let decision = reasons.first().map_or(Decision::Go, |reason| reason.allows);
    Verdict {
        v: VERDICT_VERSION,
        decision,
        reason: deciding_reason(&reasons, &groups).map(|reason| shortened(&reason)),
        reasons,
        run: run.plan.as_ref().map(|plan| plan.run.clone()),
        policy: policy.name.clone(),
        strict: policy.strict,
        judged_at: now,
        duration_ms: duration(run),
        counts: counts(&assessments),
        suites: by_suite(&assessments),
        groups,
        objectives,
        waivers,
        checks: assessments
            .into_iter()
            .map(|assessment| assessment.verdict)
            .collect(),
    }
}

/// The worst reason first. A reason about the run precedes one about a check, and a higher
/// severity precedes a lower one.
fn worst_first(a: &Reason, b: &Reason) -> std::cmp::Ordering {
    let weight = |reason: &Reason| (reason.allows, reason.check.is_none(), reason.severity);
    // Reasons about the run keep their order, causes first. Checks are sorted by id.
    let id = |reason: &Reason| reason.check.clone();
    weight(b).cmp(&weight(a)).then_with(|| id(a).cmp(&id(b)))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_REASON {
        return text.to_owned();
    }
    text.chars().take(MAX_REASON - 1).chain(['…']).collect()
}

fn duration(run: &Run) -> Option<f64> {
    run.journal
        .iter()
        .rev()
        .find_map(|entry| match entry.event {
            RunEvent::Finished { duration_ms } => Some(duration_ms),
            RunEvent::Identified { .. }
            | RunEvent::Machine(_)
            | RunEvent::GeneratorTested { .. }
            | RunEvent::Compared { .. }
            | RunEvent::Incident { .. }
            | RunEvent::Leaked { .. }
            | RunEvent::LinkTraffic { .. }
            | RunEvent::Interrupted { .. } => None,
        })
}

fn counts(assessments: &[Assessment<'_>]) -> Counts {
    let mut counts = Counts::default();
    for assessment in assessments {
        counts.add(&assessment.verdict);
    }
    counts
}

fn by_suite(assessments: &[Assessment<'_>]) -> Vec<SuiteCounts> {
    let mut suites: Vec<SuiteCounts> = Vec::new();
    for assessment in assessments {
        let name = assessment.planned.id.suite();
        if !suites.iter().any(|suite| suite.suite == name) {
            suites.push(SuiteCounts {
                suite: name.to_owned(),
                counts: Counts::default(),
            });
        }
        if let Some(suite) = suites.iter_mut().find(|suite| suite.suite == name) {
            suite.counts.add(&assessment.verdict);
        }
    }
    suites
}
