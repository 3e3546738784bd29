//! What other gates are known to let through; ours must not.

use super::sample::{
    NOW, at, ends, errored, plan, planned, policy, refused, renamed, run_of, run_with, skipped,
    trial,
};
use crate::exit;
use crate::policy::Policy;
use crate::record::{Criticality, Outcome, Run, RunEvent, Severity, SkipClass};
use crate::verdict::{Decision, judge};

/// A way in which some gate has failed open, and what ours must make of it.
type Case = (&'static str, Decision, fn(&mut Run));

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("a group without data scores full marks", Decision::Inconclusive, |run| run.trials.clear()),
    ("a group in which nothing applies scores full marks", Decision::Inconclusive, |run| for trial in &mut run.trials { trial.finished = Some((skipped(SkipClass::NotApplicable), 1.0)); }),
    ("an errored metric is left out of the score", Decision::Inconclusive, |run| ends(run, errored())),
    ("a critical metric that throws is critical no more", Decision::Inconclusive, |run| { plan(run).checks[1].severity = Severity::Critical; ends(run, errored()); }),
    ("a metric without a condition is successful", Decision::NoGo, |run| { ends(run, Outcome::Failed); run.trials[1].findings.clear(); }),
    ("a measurement that was terminated is successful", Decision::Inconclusive, |run| run.life.insert(2, at(RunEvent::Interrupted { by: "a deadline".to_owned() }))),
    ("one failure is within the limit", Decision::NoGo, |run| { passing(run, 200); ends(run, Outcome::Failed); }),
    ("an image that cannot be pulled ends in promotion", Decision::Inconclusive, |run| { run.trials.clear(); run.life = vec![at(RunEvent::Incident { what: "the stack did not start".to_owned() }), at(RunEvent::Finished { duration_ms: 1.0 })]; }),
    ("a fast lane skips the analysis", Decision::Inconclusive, |run| refused(run, SkipClass::Filtered)),
    ("a command is answered for when it has started", Decision::Inconclusive, |run| run.trials[1].finished = None),
    ("a failing step after the roll-out is only logged", Decision::Inconclusive, |run| run.life.push(at(RunEvent::Incident { what: "documents of the tenant were left behind".to_owned() }))),
    ("the gate's state is lost in a restart", Decision::Inconclusive, |run| run.life.clear()),
    ("there is nothing to compare with, so it passes", Decision::Inconclusive, |run| ends(run, skipped(SkipClass::PreconditionMissing))),
    ("only informational objectives pass", Decision::Inconclusive, |run| for (check, trial) in run.plan.as_mut().unwrap().checks.iter_mut().zip(&mut run.trials) { check.criticality = Criticality::Advisory; trial.finished = Some((errored(), 1.0)); }),
    ("nothing to verify is a success", Decision::Inconclusive, |run| { plan(run).checks.clear(); run.trials.clear(); }),
    ("missing tests are green", Decision::Inconclusive, |run| { run.trials.remove(0); }),
    ("a person ignores the failed job", Decision::Conditional, |run| { renamed(run, "p::waived"); ends(run, Outcome::Failed); }),
    ("a link carried nothing", Decision::Inconclusive, |run| run.life.push(at(carried(0)))),
    ("a token stands in the report", Decision::NoGo, |run| run.life.push(at(RunEvent::Leaked { file: "trials/x.jsonl".to_owned() }))),
    ("a retry hides the failure", Decision::NoGo, |run| { let again = run.trials[1].check.clone(); ends(run, Outcome::Failed); run.trials.push(trial(&again, Some(Outcome::Passed))); }),
];

fn carried(connections: u64) -> RunEvent {
    RunEvent::Carried {
        link: "database".to_owned(),
        connections,
        sent_bytes: connections,
        received_bytes: connections,
    }
}

/// Adds so many checks that pass.
fn passing(run: &mut Run, many: usize) {
    for index in 0..many {
        let check = planned(
            &format!("p::c{index}"),
            Severity::High,
            Criticality::Required,
        );
        run.trials.push(trial(&check.id, Some(Outcome::Passed)));
        plan(run).checks.push(check);
    }
}

#[test]
fn what_others_let_through_is_not_a_go() {
    for (what, decision, change) in CASES {
        let verdict = judge(&run_with(change), &policy(), NOW);
        assert_eq!(verdict.decision, *decision, "{what}: {:?}", verdict.reasons);
        assert!(verdict.reason.is_some(), "{what}");
    }
}

#[test]
fn a_policy_that_asks_for_no_number_of_checks_is_not_content_with_none() {
    let text = "schema = 1\nname = \"lax\"\nbar = \"critical\"\nmax_age = \"2h\"\n\
        [[suite]]\nid = \"p\"\nrequired = true\n";
    let lax = Policy::parse(text, "lax.toml").unwrap();
    let check = planned("p::it", Severity::Low, Criticality::Advisory);
    for outcome in [
        Some(skipped(SkipClass::NotApplicable)),
        Some(skipped(SkipClass::Filtered)),
        Some(errored()),
        None,
    ] {
        let run = run_of(vec![check.clone()], vec![trial(&check.id, outcome)]);
        assert_eq!(judge(&run, &lax, NOW).decision, Decision::Inconclusive);
    }
}

#[test]
fn a_report_that_nobody_reads_is_not_the_gate_the_exit_code_is() {
    for (_, _, change) in CASES {
        let verdict = judge(&run_with(change), &policy(), NOW);
        assert_ne!(verdict.exit_code(true), exit::GO, "{:?}", verdict.reason);
        let denied = verdict.decision > Decision::Conditional;
        assert_eq!(verdict.exit_code(false) != exit::GO, denied);
    }
}

#[test]
fn an_empty_directory_is_not_a_go() {
    let verdict = judge(&Run::default(), &policy(), NOW);
    assert_eq!(verdict.decision, Decision::Inconclusive);
}
