//! Single deviations from a sound run, and the decision that each must lead to.

use time::Duration;

use super::sample::{
    NOW, at, ends, errored, plan, policy, refused, renamed, run_with, skipped, trial,
};
use crate::exit;
use crate::policy::Policy;
use crate::record::{
    Criticality, Finding, Outcome, Run, RunEvent, Severity, SkipClass, Unreadable,
};
use crate::verdict::{Decision, judge};

/// One deviation from a sound run, and the decision that it must lead to.
type Case = (&'static str, Decision, fn(&mut Run));

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("nothing is wrong", Decision::Go, |_| {}),
    ("a failure at the bar", Decision::NoGo, |run| ends(run, Outcome::Failed)),
    ("a failure below the bar", Decision::Conditional, |run| { plan(run).checks[1].severity = Severity::Medium; ends(run, Outcome::Failed); }),
    ("a failure without a finding", Decision::NoGo, |run| { ends(run, Outcome::Failed); run.trials[1].findings.clear(); }),
    ("a pass with a finding", Decision::NoGo, |run| run.trials[1].findings.push(Finding::new("but"))),
    ("a finding without an end", Decision::NoGo, |run| { ends(run, Outcome::Failed); run.trials[1].finished = None; }),
    ("a pass after a failure", Decision::NoGo, |run| { let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(Outcome::Failed))); }),
    ("a pass after an error", Decision::Inconclusive, |run| { let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(errored()))); }),
    ("a failure beside an error", Decision::NoGo, |run| { ends(run, Outcome::Failed); let it = run.trials[1].check.clone(); run.trials.push(trial(&it, Some(errored()))); }),
    ("an error in a required check", Decision::Inconclusive, |run| ends(run, errored())),
    ("an error in an advisory check", Decision::Conditional, |run| { plan(run).checks[1].criticality = Criticality::Advisory; ends(run, errored()); }),
    ("a missing precondition", Decision::Inconclusive, |run| ends(run, skipped(SkipClass::PreconditionMissing))),
    ("what does not apply", Decision::Go, |run| ends(run, skipped(SkipClass::NotApplicable))),
    ("a check that began and never ended", Decision::Inconclusive, |run| run.trials[1].finished = None),
    ("an advisory check that began and never ended", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; run.trials[1].finished = None; }),
    ("a check that never ran", Decision::Inconclusive, |run| { run.trials.pop(); }),
    ("an advisory check that never ran", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; run.trials.pop(); }),
    ("a check that was refused", Decision::Inconclusive, |run| refused(run, SkipClass::PreconditionMissing)),
    ("a check that was filtered out", Decision::Inconclusive, |run| refused(run, SkipClass::Filtered)),
    ("an advisory check that was filtered out", Decision::Inconclusive, |run| { plan(run).checks[1].criticality = Criticality::Advisory; refused(run, SkipClass::Filtered); }),
    ("a check of a suite nobody requires, filtered out", Decision::Go, |run| { renamed(run, "q::it"); refused(run, SkipClass::Filtered); }),
    ("a waived failure", Decision::Conditional, |run| { renamed(run, "p::waived"); ends(run, Outcome::Failed); }),
    ("a waived error", Decision::Conditional, |run| { renamed(run, "p::waived"); ends(run, errored()); }),
    ("a failure whose waiver has ended", Decision::NoGo, |run| { renamed(run, "p::expired"); ends(run, Outcome::Failed); }),
    ("no plan", Decision::Inconclusive, |run| run.plan = None),
    ("an empty plan", Decision::Inconclusive, |run| { plan(run).checks.clear(); run.trials.clear(); }),
    ("a required suite that is not planned", Decision::Inconclusive, |run| { for (check, trial) in plan(run).checks.iter_mut().zip(["q::a", "q::b"]) { check.id = trial.parse().unwrap(); } run.trials.clear(); }),
    ("a trial that is not planned", Decision::Inconclusive, |run| run.trials[1].check = "p::other".parse().unwrap()),
    ("a run that did not end", Decision::Inconclusive, |run| { run.life.pop(); }),
    ("a run without a journal", Decision::Inconclusive, |run| run.life.clear()),
    ("an interrupted run", Decision::Inconclusive, |run| run.life.push(at(RunEvent::Interrupted { by: "Ctrl-C".to_owned() }))),
    ("an incident", Decision::Inconclusive, |run| run.life.push(at(RunEvent::Incident { what: "the stack died".to_owned() }))),
    ("an identity that changed", Decision::Inconclusive, |run| run.life[1] = at(RunEvent::Identified { identity: serde_json::json!({"commit": "def"}) })),
    ("no identity after the run", Decision::Inconclusive, |run| { run.life.remove(1); }),
    ("a file that cannot be read", Decision::Inconclusive, |run| run.unreadable.push(Unreadable { file: "trials/x".to_owned(), reason: "torn".to_owned() })),
    ("a journal left over from an earlier run", Decision::Inconclusive, |run| run.trials[1].started_at = NOW - Duration::hours(3)),
    ("a journal from the future", Decision::Inconclusive, |run| run.trials[1].started_at = NOW + Duration::hours(1)),
    ("clocks that are a little apart", Decision::Go, |run| run.trials[1].started_at = NOW + Duration::minutes(4)),
    ("an old run", Decision::Inconclusive, |run| plan(run).created_at = NOW - Duration::hours(3)),
    ("a run from the future", Decision::Inconclusive, |run| plan(run).created_at = NOW + Duration::hours(1)),
];

#[test]
fn every_deviation_leads_to_its_decision() {
    for (what, decision, change) in CASES {
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
fn the_deciding_reason_is_short_and_the_worst() {
    let run = run_with(|run| {
        ends(run, Outcome::Failed);
        run.trials[1].findings = vec![Finding::new("é".repeat(500))];
        run.life.push(at(RunEvent::Interrupted {
            by: "Ctrl-C".to_owned(),
        }));
    });
    let reason = judge(&run, &policy(), NOW).reason.unwrap();
    assert!(reason.starts_with("p::it failed: é"), "{reason}");
    assert_eq!(reason.chars().count(), 200);
}

#[test]
fn a_strict_policy_lets_no_conditional_pass() {
    let run = run_with(|run| {
        plan(run).checks[1].severity = Severity::Medium;
        ends(run, Outcome::Failed);
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
