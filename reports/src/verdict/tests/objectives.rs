//! Objectives: a value that is reached, missed, invalid, absent or not measured.

use serde_json::json;
use time::macros::date;

use super::sample::{NOW, plan, policy, refuse, rename, run_with};
use crate::policy::{Objective, Policy};
use crate::record::{CheckId, Evidence, Observation, Outcome, Run, Severity, SkipClass};
use crate::verdict::{Decision, ObjectiveStatus, Verdict, judge};

fn policy_with(expect: &str, severity: Severity) -> Policy {
    let mut policy = policy();
    policy.objectives.push(Objective {
        check: "p::it".parse().unwrap(),
        expect: expect.parse().unwrap(),
        severity,
    });
    policy
}

fn measured(value: &serde_json::Value) -> Evidence {
    Evidence::Observed(Observation {
        surface: Observation::MEASUREMENT.to_owned(),
        summary: "measured".to_owned(),
        value: value.clone(),
    })
}

/// A run whose second check measured times, in ms, one after the other.
fn run_measuring(values: &[f64]) -> Run {
    run_with(|run| {
        run.trials[1].evidence = values
            .iter()
            .map(|value| {
                measured(&json!({
                    "name": "time", "unit": "ms", "better": "lower", "gated": true, "value": value,
                    "series": [[0.0, 900.0], [1.0, value], [2.0, value]],
                }))
            })
            .collect();
    })
}

fn judged(run: &Run, expect: &str) -> Verdict {
    judge(run, &policy_with(expect, Severity::High), NOW)
}

#[test]
fn a_value_is_met_or_missed() {
    for (expect, decision, status) in [
        ("time < 10 s", Decision::Go, ObjectiveStatus::Met),
        ("time <= 500 ms", Decision::Go, ObjectiveStatus::Met),
        ("time < 500 ms", Decision::NoGo, ObjectiveStatus::Missed),
        ("time > 1 s", Decision::NoGo, ObjectiveStatus::Missed),
        (
            "max of time < 600 ms",
            Decision::NoGo,
            ObjectiveStatus::Missed,
        ),
        (
            "max of time from 1 s to 9 s < 600 ms",
            Decision::Go,
            ObjectiveStatus::Met,
        ),
        (
            "max of time from 3 s to 9 s < 600 ms",
            Decision::Inconclusive,
            ObjectiveStatus::NoData,
        ),
        (
            "time < 600 MB",
            Decision::Inconclusive,
            ObjectiveStatus::NoData,
        ),
        (
            "times < 600 ms",
            Decision::Inconclusive,
            ObjectiveStatus::NoData,
        ),
    ] {
        let verdict = judged(&run_measuring(&[500.0]), expect);
        assert_eq!(
            verdict.decision, decision,
            "{expect}: {:?}",
            verdict.reasons
        );
        assert_eq!(verdict.objectives[0].status, status, "{expect}");
    }
}

#[test]
fn the_reason_states_the_objective_and_the_value() {
    let verdict = judged(&run_measuring(&[500.0]), "time < 0.2 s");
    let reason = verdict.reason.unwrap();
    assert!(
        reason.contains("objective 'time < 0.2 s' of p::it: measured 0.500 s"),
        "{reason}"
    );
    let verdict = judged(&run_measuring(&[500.0]), "times < 1 s");
    let reason = verdict.reason.unwrap();
    assert!(reason.contains("measured 'time', not 'times'"), "{reason}");
}

#[test]
fn the_last_look_of_an_attempt_counts_and_the_worst_attempt() {
    assert_eq!(
        judged(&run_measuring(&[900.0, 100.0]), "time < 0.2 s").decision,
        Decision::Go
    );
    let mut run = run_measuring(&[100.0]);
    run.trials.extend(run_measuring(&[900.0]).trials.pop());
    for _ in 0..2 {
        let verdict = judged(&run, "time < 0.2 s");
        assert_eq!(verdict.objectives[0].value, Some(0.9));
        run.trials.reverse();
    }
    assert_eq!(judged(&run, "time > 0.2 s").objectives[0].value, Some(0.1));
}

#[test]
fn without_a_valid_value_there_is_no_go() {
    for value in [
        json!({ "name": "time", "unit": "ms", "better": "lower", "gated": true }),
        json!({ "name": "time", "unit": "ms", "better": "lower", "gated": true, "value": 1.0, "invalid": "late" }),
        json!({ "name": "time" }),
    ] {
        let run = run_with(|run| run.trials[1].evidence.push(measured(&value)));
        let verdict = judged(&run, "time < 1 s");
        assert_eq!(verdict.decision, Decision::Inconclusive, "{value}");
    }
    let not_run = run_with(|run| {
        run.trials.pop();
    });
    assert_eq!(
        judged(&not_run, "time < 1 s").objectives[0].status,
        ObjectiveStatus::NoData
    );
    let not_planned = run_with(|run| {
        plan(run).checks.pop();
        run.trials.pop();
    });
    assert_eq!(
        judged(&not_planned, "time < 1 s").decision,
        Decision::Inconclusive
    );
}

#[test]
fn a_check_that_does_not_apply_has_no_objective() {
    let run = run_with(|run| refuse(run, SkipClass::NotApplicable));
    let verdict = judged(&run, "time < 1 s");
    assert_eq!(verdict.decision, Decision::Go, "{:?}", verdict.reasons);
    assert_eq!(verdict.objectives[0].status, ObjectiveStatus::NotMeasured);
    let missing = run_with(|run| refuse(run, SkipClass::PreconditionMissing));
    assert_eq!(
        judged(&missing, "time < 1 s").decision,
        Decision::Inconclusive
    );
}

#[test]
fn a_lower_severity_and_a_waiver_are_risks() {
    let run = run_measuring(&[500.0]);
    let verdict = judge(&run, &policy_with("time < 0.2 s", Severity::Medium), NOW);
    assert_eq!(verdict.decision, Decision::Conditional);
    let mut waived = policy_with("time < 0.2 s", Severity::High);
    waived.waivers[0].check = Some("p::it".parse().unwrap());
    assert_eq!(judge(&run, &waived, NOW).decision, Decision::Conditional);
    waived.waivers[0].expires = date!(2020 - 01 - 01);
    assert_eq!(judge(&run, &waived, NOW).decision, Decision::NoGo);
}

#[test]
fn an_objective_never_improves_a_failed_check() {
    let run = run_with(|run| {
        rename(run, "p::it");
        let id: CheckId = "p::it".parse().unwrap();
        run.trials[1] = super::sample::trial(&id, Some(Outcome::Failed));
        run.trials[1].evidence = run_measuring(&[1.0]).trials[1].evidence.clone();
    });
    assert_eq!(judged(&run, "time < 1 s").decision, Decision::NoGo);
}
