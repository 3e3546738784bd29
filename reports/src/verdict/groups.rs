//! The failed checks of a run, grouped by cause.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::cause::{Cause, cause};
use super::place::Place;
use super::types::{CheckStatus, Reason, SkipReason};
use crate::record::{CheckId, Run, Severity, Trial};

/// Failed checks with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseGroup {
    /// The cause in words.
    pub cause: String,
    /// Where it lies in the processing of a document.
    pub place: Place,
    /// The highest severity of the checks.
    pub severity: Severity,
    /// The check that failed first.
    pub first: CheckId,
    /// The failed checks, in the order of the plan.
    pub checks: Vec<CheckId>,
    /// The number of checks that were not tried because one of these failed.
    pub not_tried: usize,
}

/// The reason for which a check is not tried after the check that it relies on has failed twice.
pub fn blocked_by(foundation: &CheckId, cause: &str) -> String {
    format!("'{foundation}' failed twice, and this check relies on it: {cause}")
}

/// The groups, the most important first: by severity, by the number of checks that they explain,
/// and by the order in which a document is processed.
pub(super) fn groups(assessments: &[Assessment<'_>], run: &Run) -> Vec<CauseGroup> {
    let mut groups: BTreeMap<(Place, String), CauseGroup> = BTreeMap::new();
    let mut started = BTreeMap::new();
    let failed = assessments
        .iter()
        .filter(|assessment| assessment.verdict.status == CheckStatus::Failed);
    for assessment in failed {
        let id = &assessment.planned.id;
        let Some((cause, trial)) = first_failure(id, run) else {
            continue;
        };
        started.insert(id.clone(), trial.started_at);
        let severity = assessment.planned.severity;
        let group = groups
            .entry((cause.place, cause.key))
            .or_insert_with(|| CauseGroup {
                cause: cause.text,
                place: cause.place,
                severity,
                first: id.clone(),
                checks: Vec::new(),
                not_tried: 0,
            });
        group.severity = group.severity.max(severity);
        if started[id] < started[&group.first] {
            group.first = id.clone();
        }
        group.checks.push(id.clone());
        group.not_tried += blocked(assessments, id);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    // The map is ordered by place and text, and the sort is stable.
    groups.sort_by_key(|group| Reverse((group.severity, group.explained())));
    groups
}

/// The earliest failed attempt at a check, with its cause.
fn first_failure<'a>(id: &CheckId, run: &'a Run) -> Option<(Cause, &'a Trial)> {
    let trials = run.trials.iter().filter(|trial| trial.check == *id);
    let failed = trials.filter_map(|trial| Some((cause(trial)?, trial)));
    failed.min_by_key(|(cause, trial)| {
        let is_error = trial.findings.is_empty();
        (is_error, trial.attempt, trial.started_at, cause.clone())
    })
}

/// The number of checks that were not tried because this one failed.
fn blocked(assessments: &[Assessment<'_>], by: &CheckId) -> usize {
    let beginning = blocked_by(by, "");
    let verdicts = assessments.iter().map(|assessment| &assessment.verdict);
    let blocked = verdicts.filter(|verdict| {
        let detail = verdict.detail.as_deref().unwrap_or_default();
        verdict.skip == Some(SkipReason::Blocked) && detail.starts_with(&beginning)
    });
    blocked.count()
}

/// The text of the deciding reason: a cause that explains more than one check, or else the worst reason.
pub(super) fn deciding_reason(reasons: &[Reason], groups: &[CauseGroup]) -> Option<String> {
    let worst = reasons.first()?;
    let decides = |group: &&CauseGroup| {
        let mut deciding = reasons.iter().filter(|it| it.allows == worst.allows);
        deciding.any(|it| {
            it.check
                .as_ref()
                .is_some_and(|id| group.checks.contains(id))
        })
    };
    let group = match &worst.check {
        Some(id) if groups.iter().any(|group| group.checks.contains(id)) => {
            groups.iter().find(decides)
        }
        Some(_) | None => None,
    };
    Some(match group {
        Some(group) if group.explained() > 1 => {
            let failures = groups.iter().map(|group| group.checks.len()).sum();
            group.summary(failures)
        }
        Some(_) | None => worst.text.clone(),
    })
}

impl CauseGroup {
    /// The number of checks that the cause explains: the failed ones and those that were not tried.
    pub fn explained(&self) -> usize {
        self.checks.len() + self.not_tried
    }

    /// The cause with its numbers, for a run with this many failures.
    pub fn summary(&self, failures: usize) -> String {
        let (cause, failed) = (&self.cause, self.checks.len());
        let noun = if failures == 1 { "failure" } else { "failures" };
        let not_tried = match self.not_tried {
            0 => String::new(),
            1 => ", and 1 check was not tried".to_owned(),
            several => format!(", and {several} checks were not tried"),
        };
        format!("{cause}: {failed} of {failures} {noun}{not_tried}")
    }
}
