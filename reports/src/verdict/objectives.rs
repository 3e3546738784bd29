//! Objectives of the policy, compared with what the checks measured.

use serde::{Deserialize, Serialize};

use cutover_regression::Measurement;

use super::assessment::{Assessment, by_severity};
use super::types::{CheckStatus, Decision, Reason};
use super::waivers::Waivers;
use crate::policy::{Expression, Objective, Policy};
use crate::record::{CheckId, Observation, Run, Trial};

/// What became of an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveVerdict {
    /// The check that measures the value.
    pub check: CheckId,
    /// The expression of the policy.
    pub expect: String,
    /// Whether the value was reached.
    pub status: ObjectiveStatus,
    /// The value, in the unit of the expression; the worst of the attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether an objective was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveStatus {
    /// The value was reached.
    Met,
    /// The value was not reached.
    Missed,
    /// The check has no such value, or not a valid one.
    NoData,
    /// The check was skipped: its own rule decides.
    NotMeasured,
}

/// The verdict on each objective, and the reasons of those that are not met.
pub(super) fn objectives(
    run: &Run,
    assessments: &[Assessment<'_>],
    policy: &Policy,
    waivers: &Waivers<'_>,
) -> (Vec<ObjectiveVerdict>, Vec<Reason>) {
    let mut reasons = Vec::new();
    let verdicts = policy.objectives.iter().map(|objective| {
        let planned = assessments
            .iter()
            .find(|it| it.planned.id == objective.check);
        let verdict = objective_verdict(objective, run, planned);
        reasons.extend(reason(objective, &verdict, policy, waivers));
        verdict
    });
    let verdicts = verdicts.collect();
    (verdicts, reasons)
}

fn objective_verdict(
    objective: &Objective,
    run: &Run,
    planned: Option<&Assessment<'_>>,
) -> ObjectiveVerdict {
    let verdict = |status, value, detail| ObjectiveVerdict {
        check: objective.check.clone(),
        expect: objective.expect.to_string(),
        status,
        value,
        detail,
    };
    let Some(planned) = planned else {
        let detail = "its check is not planned".to_owned();
        return verdict(ObjectiveStatus::NoData, None, Some(detail));
    };
    if planned.verdict.status == CheckStatus::Skipped {
        return verdict(
            ObjectiveStatus::NotMeasured,
            None,
            planned.verdict.detail.clone(),
        );
    }
    let expect = &objective.expect;
    let attempts = run
        .trials
        .iter()
        .filter(|trial| trial.check == objective.check);
    let values: Result<Vec<f64>, String> = attempts.map(|trial| value_of(trial, expect)).collect();
    match values {
        Err(detail) => verdict(ObjectiveStatus::NoData, None, Some(detail)),
        Ok(values) => match worst(&values, expect) {
            None => verdict(
                ObjectiveStatus::NoData,
                None,
                Some("its check did not run".to_owned()),
            ),
            Some(value) if expect.operator.holds(value, expect.bound) => {
                verdict(ObjectiveStatus::Met, Some(value), None)
            }
            Some(value) => verdict(ObjectiveStatus::Missed, Some(value), None),
        },
    }
}

/// The value that is the worst for the objective: another attempt never improves it.
fn worst(values: &[f64], expect: &Expression) -> Option<f64> {
    let values = values.iter().copied();
    if expect.operator.is_upper_bound() {
        values.max_by(f64::total_cmp)
    } else {
        values.min_by(f64::total_cmp)
    }
}

/// The value of an attempt, in the unit of the expression. Where a check looked twice, the last look counts.
fn value_of(trial: &Trial, expect: &Expression) -> Result<f64, String> {
    let measured: Vec<Measurement> = trial
        .observations(Observation::MEASUREMENT)
        .filter_map(|seen| serde_json::from_value(seen.value.clone()).ok())
        .collect();
    let found = measured.iter().rfind(|it| it.name == expect.measurement);
    let Some(found) = found else {
        let mut names: Vec<_> = measured.iter().map(|it| format!("'{}'", it.name)).collect();
        names.sort_unstable();
        names.dedup();
        let names = if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        };
        return Err(format!(
            "its check measured {names}, not '{}'",
            expect.measurement
        ));
    };
    let value = found.usable()?;
    let value = match expect.series {
        None => value,
        Some(part) => part
            .of(&found.series)
            .ok_or_else(|| "no value of the series is in that time".to_owned())?,
    };
    in_unit(value, &found.unit, &expect.unit)
}

/// The units of time, in seconds.
const TIMES: [(&str, f64); 5] = [
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("min", 60.0),
    ("h", 3600.0),
];

fn in_unit(value: f64, from: &str, to: &str) -> Result<f64, String> {
    if from == to {
        return Ok(value);
    }
    let seconds = |unit| {
        TIMES
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, seconds)| seconds)
    };
    match (seconds(from), seconds(to)) {
        (Some(from), Some(to)) => Ok(value * from / to),
        _ => Err(format!(
            "it is measured in '{from}', and the policy expects '{to}'"
        )),
    }
}

fn reason(
    objective: &Objective,
    verdict: &ObjectiveVerdict,
    policy: &Policy,
    waivers: &Waivers<'_>,
) -> Option<Reason> {
    let (allows, text) = match verdict.status {
        ObjectiveStatus::Met | ObjectiveStatus::NotMeasured => return None,
        ObjectiveStatus::Missed => {
            let value = verdict.value.unwrap_or(f64::NAN);
            let text = format!("measured {value:.3} {}", objective.expect.unit);
            (by_severity(objective.severity, policy), text)
        }
        ObjectiveStatus::NoData => (
            Decision::Inconclusive,
            verdict.detail.clone().unwrap_or_default(),
        ),
    };
    // The check itself has passed, so that only a waiver that names it is about the value.
    let (allows, mark) = if waivers.about(&objective.check, false).covers() {
        (Decision::Conditional, " (waived)")
    } else {
        (allows, "")
    };
    Some(Reason {
        allows,
        check: Some(objective.check.clone()),
        severity: Some(objective.severity),
        text: format!(
            "objective '{}' of {}{mark}: {}",
            objective.expect,
            objective.check,
            text.trim_end()
        ),
    })
}
