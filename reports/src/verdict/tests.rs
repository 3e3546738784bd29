//! The three laws: a table of single cases, and properties over arbitrary runs.

use proptest::prelude::*;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::policy::Policy;
use crate::record::{
    Admission, CheckId, Criticality, Effect, Finding, JOURNAL_VERSION, Outcome, PLAN_VERSION, Plan,
    PlannedCheck, Profile, Run, RunEvent, RunLine, Selection, Severity, SkipClass, Source,
    TargetSummary, Trial, Unreadable,
};

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:00 UTC);

fn policy() -> Policy {
    let text = "schema = 1\nname = \"test\"\nbar = \"high\"\nmax_age = \"2h\"\n\
        [[suite]]\nid = \"p\"\nrequired = true\nmin_checks = 1\n\
        [[waiver]]\ncheck = \"p::waived\"\nowner = \"me\"\nreason = \"known\"\nexpires = 2026-12-31\n\
        [[waiver]]\ncheck = \"p::expired\"\nowner = \"me\"\nreason = \"known\"\nexpires = 2026-11-23\n";
    Policy::parse(text, "test.toml").unwrap()
}

fn planned(id: &str, severity: Severity, criticality: Criticality) -> PlannedCheck {
    PlannedCheck {
        id: id.parse().unwrap(),
        statement: "it is so".to_owned(),
        severity,
        criticality,
        effect: Effect::Read,
        needs: Vec::new(),
        timeout_ms: 1_000,
        source: Source {
            file: "x.rs".to_owned(),
            line: 1,
        },
        admission: Admission::Admitted,
    }
}

fn trial(id: &CheckId, outcome: Option<Outcome>) -> Trial {
    let findings = match outcome {
        Some(Outcome::Failed) => vec![Finding::new("it is not so")],
        _ => Vec::new(),
    };
    Trial {
        check: id.clone(),
        attempt: 1,
        started_at: NOW,
        evidence: Vec::new(),
        findings,
        finished: outcome.map(|outcome| (outcome, 5.0)),
    }
}

fn at(event: RunEvent) -> RunLine {
    RunLine {
        v: JOURNAL_VERSION,
        at: NOW,
        event,
    }
}

fn life() -> Vec<RunLine> {
    let identity = serde_json::json!({"commit": "abc"});
    vec![
        at(RunEvent::Identified {
            identity: identity.clone(),
        }),
        at(RunEvent::Identified { identity }),
        at(RunEvent::Finished { duration_ms: 9.0 }),
    ]
}

fn run_of(checks: Vec<PlannedCheck>, trials: Vec<Trial>) -> Run {
    let plan = Plan {
        v: PLAN_VERSION,
        run: "r".to_owned(),
        created_at: NOW - Duration::minutes(1),
        cutover: "0".to_owned(),
        profile: Profile::Gate,
        seed: 1,
        target: TargetSummary {
            name: "t".to_owned(),
            class: "local".to_owned(),
            stack: "processes".to_owned(),
            defect: None,
        },
        selection: Selection::default(),
        checks,
    };
    Run {
        plan: Some(plan),
        life: life(),
        trials,
        unreadable: Vec::new(),
    }
}

/// A run of one check, which passes unless changed, beside one that passes.
fn run_with(change: impl FnOnce(&mut Run)) -> Run {
    let sound = planned("p::sound", Severity::High, Criticality::Required);
    let check = planned("p::it", Severity::High, Criticality::Required);
    let trials = vec![
        trial(&sound.id, Some(Outcome::Passed)),
        trial(&check.id, Some(Outcome::Passed)),
    ];
    let mut run = run_of(vec![sound, check], trials);
    change(&mut run);
    run
}

fn plan(run: &mut Run) -> &mut Plan {
    run.plan.as_mut().unwrap()
}

fn ends(run: &mut Run, outcome: Outcome) {
    run.trials[1] = trial(&run.trials[1].check.clone(), Some(outcome));
}

fn renamed(run: &mut Run, id: &str) {
    plan(run).checks[1].id = id.parse().unwrap();
    run.trials[1].check = id.parse().unwrap();
}

fn refused(run: &mut Run, class: SkipClass) {
    plan(run).checks[1].admission = Admission::Refused {
        class,
        reason: "because".to_owned(),
    };
    run.trials.pop();
}

fn errored() -> Outcome {
    Outcome::Errored {
        cause: "a panic".to_owned(),
    }
}

fn skipped(class: SkipClass) -> Outcome {
    Outcome::Skipped {
        class,
        reason: "because".to_owned(),
    }
}

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
    ("a check that never ran", Decision::Inconclusive, |run| { run.trials.pop(); }),
    ("an advisory check that never ran", Decision::Conditional, |run| { plan(run).checks[1].criticality = Criticality::Advisory; run.trials.pop(); }),
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

fn any_outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        Just(None),
        Just(Some(Outcome::Passed)),
        Just(Some(Outcome::Failed)),
        Just(Some(errored())),
        Just(Some(skipped(SkipClass::NotApplicable))),
        Just(Some(skipped(SkipClass::PreconditionMissing))),
    ]
}

fn any_check() -> impl Strategy<Value = (Severity, Criticality, bool)> {
    let severity = prop_oneof![
        Just(Severity::Low),
        Just(Severity::Medium),
        Just(Severity::High),
        Just(Severity::Critical)
    ];
    let criticality = prop_oneof![Just(Criticality::Required), Just(Criticality::Advisory)];
    (severity, criticality, proptest::bool::weighted(0.9))
}

prop_compose! {
    fn any_run()(
        checks in prop::collection::vec((any_check(), prop::collection::vec(any_outcome(), 0..3)), 0..6),
        lines in 0..4_usize,
        has_plan in proptest::bool::weighted(0.95),
    ) -> Run {
        let mut plan = Vec::new();
        let mut trials = Vec::new();
        for (index, ((severity, criticality, admitted), outcomes)) in checks.into_iter().enumerate() {
            let mut check = planned(&format!("p::c{index}"), severity, criticality);
            if !admitted {
                check.admission = Admission::Refused { class: SkipClass::Filtered, reason: "no".to_owned() };
            }
            for (attempt, outcome) in (1..).zip(outcomes) {
                trials.push(Trial { attempt, ..trial(&check.id, outcome) });
            }
            plan.push(check);
        }
        let mut run = run_of(plan, trials);
        run.life.truncate(lines);
        run.plan = run.plan.filter(|_| has_plan);
        run
    }
}

proptest! {
    #[test]
    fn the_order_of_trials_does_not_matter(run in any_run(), turn in 0..6_usize) {
        let mut other = run.clone();
        other.trials.reverse();
        let middle = turn.min(other.trials.len());
        other.trials.rotate_left(middle);
        prop_assert_eq!(judge(&run, &policy(), NOW), judge(&other, &policy(), NOW));
    }

    #[test]
    fn removing_an_answer_is_never_a_go(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let mut less = run.clone();
        let gone = less.trials[index.index(less.trials.len())].check.clone();
        less.trials.retain(|trial| trial.check != gone);
        let after = judge(&less, &policy(), NOW).decision;
        prop_assert!(after > Decision::Go, "without {gone}: {after}");
    }

    #[test]
    fn a_further_failure_never_helps(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).decision;
        let mut more = run.clone();
        let answered = more.trials[index.index(more.trials.len())].check.clone();
        more.trials.push(Trial { attempt: 9, ..trial(&answered, Some(Outcome::Failed)) });
        let after = judge(&more, &policy(), NOW).decision;
        prop_assert!(after > Decision::Go && after >= before, "from {before} to {after}");
    }

    #[test]
    fn age_never_helps(run in any_run(), hours in 0..10_i64) {
        let before = judge(&run, &policy(), NOW).decision;
        let after = judge(&run, &policy(), NOW + Duration::hours(hours)).decision;
        prop_assert!(after >= before, "from {before} to {after}");
    }
}
