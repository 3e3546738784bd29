//! Single deviations from a passing run, with the decision for each.

use time::Duration;

use super::sample::{
    NOW, at, errored, plan, policy, refuse, rename, run_with, set_outcome, skipped, trial,
};
use crate::exit;
use crate::policy::Policy;
use crate::record::{
    Criticality, Finding, Outcome, Run, RunEvent, Severity, SkipClass, UnreadableFile,
};
use crate::verdict::{Decision, judge};

/// A name, the expected decision, and the change to the passing run.
type Deviation = (&'static str, Decision, fn(&mut Run));

#[rustfmt::skip]
const DEVIATIONS: &[Deviation] = &[
    ("no deviation", Decision::Go, |_| {}),
    ("a failure at the bar", Decision::NoGo, |run| set_outcome(run, Outcome::Failed)),
    ("a failure below the bar", Decision::Conditional, |run| { plan(run).checks[1].severity = Severity::Medium; set_outcome(run, Outcome::Failed); }),
    ("a failure without a finding", Decision::NoGo, |run| { set_outcome(run, Outcome::Failed); run.trials[1].findings.clear(); }),
    ("a pass with a finding", Decision::NoGo, |run| run.trials[1].findings.push(Finding::new("a finding"))),
    ("a finding without an end", Decision::NoGo, |run| { set_outcome(run, Outcome::Failed); run.trials[1].finished = None; }),
    ("a pass after a failure", Decision::NoGo, |run| { let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(Outcome::Failed))); }),
    ("a pass after an error", Decision::Inconclusive, |run| { let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(errored()))); }),
    ("a failure beside an error", Decision::NoGo, |run| { set_outcome(run, Outcome::Failed); let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(errored()))); }),
    ("an error in a required check", Decision::Inconclusive, |run| set_outcome(run, errored())),
    ("an error in an advisory check", Decision::Conditional, |run| { plan(run).checks[1].criticality = Criticality::Advisory; set_outcome(run, errored()); }),
    ("a missing precondition", Decision::Inconclusive, |run| set_outcome(run, skipped(SkipClass::PreconditionMissing))),
    ("a check that does not apply", Decision::Go, |run| set_outcome(run, skipped(SkipClass::NotApplicable))),
    ("a check that started and did not finish", Decision::Inconclusive, |run| run.trials[1].finished = None),
    ("an advisory check that started and did not finish", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; run.trials[1].finished = None; }),
    ("a check that did not run", Decision::Inconclusive, |run| { run.trials.pop(); }),
    ("an advisory check that did not run", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; run.trials.pop(); }),
    ("a refused check", Decision::Inconclusive, |run| refuse(run, SkipClass::PreconditionMissing)),
    ("a filtered check", Decision::Inconclusive, |run| refuse(run, SkipClass::Filtered)),
    ("a filtered advisory check", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; refuse(run, SkipClass::Filtered); }),
    ("a filtered check of a suite that is not required", Decision::Go, |run| { rename(run, "q::it"); refuse(run, SkipClass::Filtered); }),
    ("a waived failure", Decision::Conditional, |run| { rename(run, "p::waived"); set_outcome(run, Outcome::Failed); }),
    ("a waived error", Decision::Conditional, |run| { rename(run, "p::waived"); set_outcome(run, errored()); }),
    ("a failure with an expired waiver", Decision::NoGo, |run| { rename(run, "p::expired"); set_outcome(run, Outcome::Failed); }),
    ("no plan", Decision::Inconclusive, |run| run.plan = None),
    ("an empty plan", Decision::Inconclusive, |run| { plan(run).checks.clear(); run.trials.clear(); }),
    ("a required suite that is not planned", Decision::Inconclusive, |run| { for (check, trial) in plan(run).checks.iter_mut().zip(["q::a", "q::b"]) { check.id = trial.parse().unwrap(); } run.trials.clear(); }),
    ("a trial that is not planned", Decision::Inconclusive, |run| run.trials[1].check = "p::other".parse().unwrap()),
    ("a run that did not finish", Decision::Inconclusive, |run| { run.journal.pop(); }),
    ("a run without a journal", Decision::Inconclusive, |run| run.journal.clear()),
    ("an interrupted run", Decision::Inconclusive, |run| run.journal.push(at(RunEvent::Interrupted { by: "Ctrl-C".to_owned() }))),
    ("an incident", Decision::Inconclusive, |run| run.journal.push(at(RunEvent::Incident { what: "the stack died".to_owned() }))),
    ("an identity that changed", Decision::Inconclusive, |run| run.journal[1] = at(RunEvent::Identified { identity: serde_json::json!({"commit": "def"}) })),
    ("no identity after the run", Decision::Inconclusive, |run| { run.journal.remove(1); }),
    ("a file that cannot be read", Decision::Inconclusive, |run| run.unreadable.push(UnreadableFile { file: "trials/x".to_owned(), reason: "torn".to_owned() })),
    ("a journal left over from an earlier run", Decision::Inconclusive, |run| run.trials[1].started_at = NOW - Duration::hours(3)),
    ("a journal from the future", Decision::Inconclusive, |run| run.trials[1].started_at = NOW + Duration::hours(1)),
    ("clocks within the tolerance", Decision::Go, |run| run.trials[1].started_at = NOW + Duration::minutes(4)),
    ("an old run", Decision::Inconclusive, |run| plan(run).created_at = NOW - Duration::hours(3)),
    ("a run from the future", Decision::Inconclusive, |run| plan(run).created_at = NOW + Duration::hours(1)),
];

#[test]
fn each_deviation_has_its_decision() {
    for (what, decision, change) in DEVIATIONS {
        let verdict = judge(&run_with(change), &policy(), NOW);
        assert_eq!(verdict.decision, *decision, "{what}: {:?}", verdict.reasons);
        assert_eq!(
            verdict.reason.is_none(),
            *decision == Decision::Go,
            "{what}"
        );
    }
}

#[test]
fn the_deciding_reason_is_the_worst_one_and_is_shortened() {
    let run = run_with(|run| {
        set_outcome(run, Outcome::Failed);
        run.trials[1].findings = vec![Finding::new("é".repeat(500))];
        run.journal.push(at(RunEvent::Interrupted {
            by: "Ctrl-C".to_owned(),
        }));
    });
    let reason = judge(&run, &policy(), NOW).reason.unwrap();
    assert!(reason.starts_with("p::it failed: é"), "{reason}");
    assert_eq!(reason.chars().count(), 200);
}

#[test]
fn a_conditional_is_not_a_pass_under_a_strict_policy() {
    let run = run_with(|run| {
        plan(run).checks[1].severity = Severity::Medium;
        set_outcome(run, Outcome::Failed);
    });
    let strict = Policy {
        strict: true,
        ..policy()
    };
    for (policy, flag, code) in [
        (&policy(), false, exit::GO),
        (&policy(), true, exit::CONDITIONAL),
        (&strict, false, exit::CONDITIONAL),
    ] {
        assert_eq!(judge(&run, policy, NOW).exit_code(flag), code);
    }
}
