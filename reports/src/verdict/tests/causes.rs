//! Failures are grouped by cause, and the most important cause is the deciding reason.

use proptest::prelude::*;

use super::sample::{NOW, planned, policy, run_of, skipped, trial};
use crate::record::{
    Criticality, Evidence, Finding, HttpExchange, Outcome, Run, Severity, SkipClass, Trial, Wait,
};
use crate::verdict::{Decision, Place, Verdict, blocked_by, judge};

/// A request for a job with this number.
fn exchange(method: &str, job: u8, status: u16) -> Evidence {
    Evidence::Http(HttpExchange {
        surface: "api".to_owned(),
        method: method.to_owned(),
        url: format!(
            "http://127.0.0.1:{}/api/jobs/{}",
            4_000 + u16::from(job),
            id(job)
        ),
        request_headers: Vec::new(),
        request_body: None,
        correlation_id: String::new(),
        status: Some(status),
        response_headers: Vec::new(),
        response_body: None,
        error: None,
        elapsed_ms: 1.0,
        curl: String::new(),
    })
}

fn id(number: u8) -> String {
    format!("601684e6-b1cd-5438-a22f-907eea07a8{number:02x}")
}

fn wait(job: u8, last: &str) -> Evidence {
    Evidence::Wait(Wait {
        what: format!("job {}: it reaches a final state", id(job)),
        elapsed_ms: 30_000.0,
        attempts: 9,
        satisfied: false,
        last: last.to_owned(),
    })
}

fn wrong_status(job: u8, expected: u16, actual: u16) -> Finding {
    let summary = format!(
        "GET http://127.0.0.1/api/jobs/{} has the wrong response status",
        id(job)
    );
    Finding::new(summary).comparing(expected.to_string(), format!("{actual} {{}}"))
}

/// A run of failed checks of these severities, each with observations and a finding.
fn failed_run(failures: Vec<(Severity, Vec<Evidence>, Finding)>) -> Run {
    let failures = failures.into_iter().enumerate();
    let failures = failures.map(|(index, (severity, evidence, finding))| {
        let check = planned(&format!("p::c{index}"), severity, Criticality::Required);
        let failed = Trial {
            evidence,
            findings: vec![finding],
            ..trial(&check.id, Some(Outcome::Failed))
        };
        (check, failed)
    });
    let (checks, trials) = failures.unzip();
    run_of(checks, trials)
}

fn judged(run: &Run) -> Verdict {
    judge(run, &policy(), NOW)
}

#[test]
fn failures_of_one_cause_are_one_group_and_the_reason() {
    let unreadable = |job| {
        let evidence = vec![exchange("POST", job, 200), exchange("GET", job, 500)];
        (Severity::High, evidence, wrong_status(job, 200, 500))
    };
    let other = (
        Severity::High,
        Vec::new(),
        Finding::new("a chunk has no vector"),
    );
    let verdict = judged(&failed_run(vec![
        other,
        unreadable(1),
        unreadable(2),
        unreadable(3),
    ]));
    assert_eq!(verdict.groups.len(), 2);
    assert_eq!(verdict.groups[0].checks.len(), 3);
    assert_eq!(verdict.groups[0].place, Place::Job);
    let reason = "GET /api/jobs/{job_id} answers 500 (expected 200): 3 of 4 failures";
    assert_eq!(verdict.reason.as_deref(), Some(reason));
}

#[test]
fn a_single_failure_is_the_reason_as_it_is() {
    let failure = (
        Severity::High,
        vec![exchange("GET", 1, 500)],
        Finding::new("it is wrong"),
    );
    let reason = judged(&failed_run(vec![failure])).reason;
    assert_eq!(reason.as_deref(), Some("p::c0 failed: it is wrong"));
}

#[test]
fn a_critical_cause_precedes_a_frequent_one() {
    let finding = |text| (Severity::High, Vec::new(), Finding::new(text));
    let critical = (
        Severity::Critical,
        Vec::new(),
        Finding::new("a tenant reads another's text"),
    );
    let run = failed_run(vec![finding("x"), finding("x"), critical]);
    let verdict = judged(&run);
    assert_eq!(verdict.groups[0].severity, Severity::Critical);
    let reason = "p::c2 failed: a tenant reads another's text";
    assert_eq!(verdict.reason.as_deref(), Some(reason));
}

#[test]
fn the_request_of_the_cleanup_is_no_cause() {
    let failure = |job: u8, cleanup: u16| {
        let finding = Finding {
            observation: Some(0),
            ..wrong_status(job, 200, 500)
        };
        let evidence = vec![exchange("GET", job, 500), exchange("DELETE", job, cleanup)];
        (Severity::High, evidence, finding)
    };
    let verdict = judged(&failed_run(vec![failure(1, 204), failure(2, 404)]));
    assert_eq!(verdict.groups.len(), 1);
    assert!(
        verdict.groups[0].cause.starts_with("GET "),
        "{:?}",
        verdict.groups
    );
}

#[test]
fn a_job_that_stays_in_a_state_is_one_cause_and_another_state_another() {
    let stuck = |job, last: &str| {
        let summary = format!("job {}: it reaches a final state: not within 30s", id(job));
        (Severity::High, vec![wait(job, last)], Finding::new(summary))
    };
    let run = failed_run(vec![
        stuck(1, "uploaded, queued"),
        stuck(2, "uploaded, queued"),
        stuck(3, "embedding_queued, queued"),
    ]);
    let verdict = judged(&run);
    let groups = verdict.groups.iter();
    let groups: Vec<_> = groups
        .map(|it| (it.cause.as_str(), it.place, it.checks.len()))
        .collect();
    let expected = [
        ("a job stays in 'uploaded, queued'", Place::Job, 2),
        ("a job stays in 'embedding_queued, queued'", Place::Embed, 1),
    ];
    assert_eq!(groups, expected);
}

#[test]
fn a_wait_that_a_response_stopped_has_the_cause_of_the_response() {
    let evidence = vec![exchange("GET", 1, 500), wait(1, Wait::STOPPED)];
    let run = failed_run(vec![(Severity::High, evidence, wrong_status(1, 200, 500))]);
    let cause = &judged(&run).groups[0].cause;
    assert_eq!(cause, "GET /api/jobs/{job_id} answers 500 (expected 200)");
}

#[test]
fn a_wait_for_a_response_has_the_cause_of_the_last_response() {
    let evidence = vec![exchange("GET", 1, 503), wait(1, "503 {\"ok\":false}")];
    let run = failed_run(vec![(
        Severity::High,
        evidence,
        Finding::new("not within 15s"),
    )]);
    let cause = &judged(&run).groups[0].cause;
    assert_eq!(
        cause,
        "GET /api/jobs/{job_id} answers 503 until the deadline"
    );
}

#[test]
fn checks_that_were_not_tried_count_for_the_cause() {
    let evidence = vec![wait(1, "uploaded, queued")];
    let mut run = failed_run(vec![(
        Severity::Critical,
        evidence,
        Finding::new("not within 30s"),
    )]);
    let foundation = run.trials[0].check.clone();
    for index in 1..4 {
        let check = planned(
            &format!("p::d{index}"),
            Severity::High,
            Criticality::Required,
        );
        let mut refused = trial(&check.id, Some(skipped(SkipClass::Blocked)));
        if let Some((Outcome::Skipped { reason, .. }, _)) = &mut refused.finished {
            *reason = blocked_by(&foundation, "a job stays in 'uploaded, queued'");
        }
        run.trials.push(refused);
        run.plan.as_mut().unwrap().checks.push(check);
    }
    let verdict = judged(&run);
    assert_eq!(verdict.decision, Decision::NoGo);
    assert_eq!(
        (verdict.counts.blocked, verdict.groups[0].not_tried),
        (3, 3)
    );
    let reason = "a job stays in 'uploaded, queued': 1 of 1 failure, and 3 checks were not tried";
    assert_eq!(verdict.reason.as_deref(), Some(reason));
}

proptest! {
    #[test]
    fn the_groups_do_not_depend_on_the_order_of_trials(
        failures in prop::collection::vec((0..3_u8, prop_oneof![Just(500_u16), Just(404)], 1..4_u32), 1..8),
        rotation in 0..8_usize,
    ) {
        let trials = failures.iter().map(|(job, status, _)| {
            (Severity::High, vec![exchange("GET", *job, *status)], wrong_status(*job, 200, *status))
        });
        let mut run = failed_run(trials.collect());
        for (trial, (job, _, attempt)) in run.trials.iter_mut().zip(&failures) {
            trial.attempt = *attempt;
            trial.check = format!("p::c{}", usize::from(*job) % failures.len()).parse().unwrap();
        }
        let mut other = run.clone();
        let middle = rotation % other.trials.len();
        other.trials.rotate_left(middle);
        prop_assert_eq!(judged(&run), judged(&other));
    }
}
