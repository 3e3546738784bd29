//! Known ways in which other gates fail open. This gate must not.

use super::sample::{
    NOW, at, errored, plan, planned, policy, refuse, rename, run_of, run_with, set_outcome,
    skipped, trial,
};
use crate::exit;
use crate::policy::Policy;
use crate::record::{
    ComparisonResult, Criticality, KnownMeasurement, Outcome, Run, RunEvent, Severity, SkipClass,
};
use crate::verdict::{Decision, judge};

/// A known flaw, the expected decision, and the change to the passing run.
type KnownFlaw = (&'static str, Decision, fn(&mut Run));

#[rustfmt::skip]
const KNOWN_FLAWS: &[KnownFlaw] = &[
    ("a group without data scores full marks", Decision::Inconclusive, |run| run.trials.clear()),
    ("a group without an applicable check scores full marks", Decision::Inconclusive, |run| for trial in &mut run.trials { trial.finished = Some((skipped(SkipClass::NotApplicable), 1.0)); }),
    ("an errored metric is excluded from the score", Decision::Inconclusive, |run| set_outcome(run, errored())),
    ("a critical metric that throws is no longer critical", Decision::Inconclusive, |run| { plan(run).checks[1].severity = Severity::Critical; set_outcome(run, errored()); }),
    ("a metric without a condition is successful", Decision::NoGo, |run| { set_outcome(run, Outcome::Failed); run.trials[1].findings.clear(); }),
    ("a measurement that was terminated is successful", Decision::Inconclusive, |run| run.journal.insert(2, at(RunEvent::Interrupted { by: "a deadline".to_owned() }))),
    ("one failure is within the limit", Decision::NoGo, |run| { add_passing(run, 200); set_outcome(run, Outcome::Failed); }),
    ("an image that cannot be pulled ends in promotion", Decision::Inconclusive, |run| { run.trials.clear(); run.journal = vec![at(RunEvent::Incident { what: "the stack did not start".to_owned() }), at(RunEvent::Finished { duration_ms: 1.0 })]; }),
    ("a fast path skips the analysis", Decision::Inconclusive, |run| refuse(run, SkipClass::Filtered)),
    ("a command counts as successful once it has started", Decision::Inconclusive, |run| run.trials[1].finished = None),
    ("a failed step after the roll-out is only logged", Decision::Inconclusive, |run| run.journal.push(at(RunEvent::Incident { what: "documents of the tenant were left behind".to_owned() }))),
    ("a restart loses the state of the gate", Decision::Inconclusive, |run| run.journal.clear()),
    ("a missing baseline is a pass", Decision::Inconclusive, |run| set_outcome(run, skipped(SkipClass::PreconditionMissing))),
    ("only informational objectives pass", Decision::Inconclusive, |run| for (check, trial) in run.plan.as_mut().unwrap().checks.iter_mut().zip(&mut run.trials) { check.criticality = Criticality::Advisory; trial.finished = Some((errored(), 1.0)); }),
    ("an empty plan is a success", Decision::Inconclusive, |run| { plan(run).checks.clear(); run.trials.clear(); }),
    ("missing tests are successful", Decision::Inconclusive, |run| { run.trials.remove(0); }),
    ("a person overrides the failed job", Decision::Conditional, |run| { rename(run, "p::waived"); set_outcome(run, Outcome::Failed); }),
    ("a link has no traffic", Decision::Inconclusive, |run| run.journal.push(at(link_traffic(0)))),
    ("the report contains a token", Decision::NoGo, |run| run.journal.push(at(RunEvent::Leaked { file: "trials/x.jsonl".to_owned() }))),
    ("a retry hides the failure", Decision::NoGo, |run| { let again = run.trials[1].check.clone(); set_outcome(run, Outcome::Failed); run.trials.push(trial(&again, Some(Outcome::Passed))); }),
    ("a load generator that is wrong measures", Decision::Inconclusive, |run| run.journal.insert(1, at(generator_tested(&[true, false])))),
    ("a load generator without a test measures", Decision::Inconclusive, |run| run.journal.insert(1, at(generator_tested(&[])))),
    ("a comparison that cannot be made is a pass", Decision::Inconclusive, |run| run.journal.insert(1, at(compared(ComparisonResult::Inconclusive)))),
    ("a regression is only reported", Decision::NoGo, |run| run.journal.insert(1, at(compared(ComparisonResult::Failed)))),
];

fn generator_tested(results: &[bool]) -> RunEvent {
    let known = |holds: &bool| KnownMeasurement {
        what: "a delay, ms".to_owned(),
        expected: 10.0,
        measured: Some(12.0),
        holds: *holds,
    };
    RunEvent::GeneratorTested {
        results: results.iter().map(known).collect(),
    }
}

fn compared(result: ComparisonResult) -> RunEvent {
    RunEvent::Compared {
        baseline: "main".to_owned(),
        runs: 8,
        result,
        reasons: vec!["a rate".to_owned()],
    }
}

#[test]
fn a_right_load_generator_and_a_comparison_without_a_regression_allow_a_go() {
    let run = run_with(|run| {
        run.journal.insert(1, at(generator_tested(&[true])));
        run.journal
            .insert(1, at(compared(ComparisonResult::Passed)));
    });
    assert_eq!(judge(&run, &policy(), NOW).decision, Decision::Go);
}

fn link_traffic(connections: u64) -> RunEvent {
    RunEvent::LinkTraffic {
        link: "database".to_owned(),
        connections,
        sent_bytes: connections,
        received_bytes: connections,
    }
}

/// Adds passing checks.
fn add_passing(run: &mut Run, count: usize) {
    for index in 0..count {
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
fn no_known_flaw_leads_to_a_go() {
    for (what, decision, change) in KNOWN_FLAWS {
        let verdict = judge(&run_with(change), &policy(), NOW);
        assert_eq!(verdict.decision, *decision, "{what}: {:?}", verdict.reasons);
        assert!(verdict.reason.is_some(), "{what}");
    }
}

#[test]
fn a_policy_without_a_minimum_still_requires_one_pass() {
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
fn the_exit_code_denies_every_decision_that_is_not_a_pass() {
    for (_, _, change) in KNOWN_FLAWS {
        let verdict = judge(&run_with(change), &policy(), NOW);
        assert_ne!(verdict.exit_code(true), exit::GO, "{:?}", verdict.reason);
        let denied = verdict.decision > Decision::Conditional;
        assert_eq!(verdict.exit_code(false) != exit::GO, denied);
    }
}

#[test]
fn an_empty_record_is_not_a_go() {
    let verdict = judge(&Run::default(), &policy(), NOW);
    assert_eq!(verdict.decision, Decision::Inconclusive);
}
