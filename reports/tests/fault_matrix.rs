//! The matrix of faults: outcomes by link and fault, with what a zero proves.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use cutover_reports::record::{
    Evidence, Finding, Observation, Outcome, PlannedCheck, Run, SkipClass, Trial,
};
use cutover_reports::render::{FaultMatrix, Render as _, ReportFile as _};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn observed(value: Value) -> Evidence {
    Evidence::Observed(Observation {
        surface: "scenario".to_owned(),
        summary: "a fault".to_owned(),
        value,
    })
}

/// A trial of a cell; with the numbers of its recovery if it recovered.
fn trial(run: &mut Run, link: &str, fault: &str, outcome: Outcome, drained_ms: Option<u32>) {
    let id = format!("failure::a_broken_link_loses_nothing::{link}_{fault}");
    let template = run.trials[0].clone();
    let mut evidence = vec![observed(json!({ "link": link, "fault": fault }))];
    evidence.extend(drained_ms.map(|drained_ms| {
        observed(json!({ "link": link, "drained_ms": drained_ms, "acknowledged": 2 }))
    }));
    let findings = match outcome {
        Outcome::Failed => vec![Finding::new("a document is lost")],
        Outcome::Passed | Outcome::Errored { .. } | Outcome::Skipped { .. } => Vec::new(),
    };
    let plan = run.plan.as_mut().unwrap();
    let planned = plan.checks[0].clone();
    plan.checks.push(PlannedCheck {
        id: id.parse().unwrap(),
        ..planned
    });
    run.trials.push(Trial {
        check: id.parse().unwrap(),
        evidence,
        findings,
        finished: Some((outcome, 1_000.0)),
        ..template
    });
}

#[test]
fn a_matrix_has_a_line_for_each_fault_and_a_column_for_each_link() {
    let (mut run, _) = golden::passing_run();
    let void = Outcome::Errored {
        cause: "void: fault 'reset' touched no connection".to_owned(),
    };
    let unfit = Outcome::Skipped {
        class: SkipClass::NotApplicable,
        reason: "no search".to_owned(),
    };
    trial(
        &mut run,
        "worker_to_parser",
        "refused",
        Outcome::Passed,
        Some(1_240),
    );
    trial(&mut run, "worker_to_parser", "reset", void, None);
    trial(
        &mut run,
        "api_to_database",
        "refused",
        Outcome::Failed,
        None,
    );
    trial(
        &mut run,
        "api_to_database",
        "reset",
        Outcome::Passed,
        Some(300),
    );
    trial(&mut run, "api_to_embedder", "reset", unfit, None);
    let (run, verdict) = golden::judged(run);
    assert_snapshot!(FaultMatrix.render(&run, &verdict));
}

#[test]
fn a_run_without_scenarios_has_no_matrix() {
    let (run, _) = golden::passing_run();
    assert!(!FaultMatrix.applies_to(&run));
}
