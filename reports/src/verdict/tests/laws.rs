//! What holds for every run: the verdict is total, free of order, and never better for knowing less.

use proptest::prelude::*;
use time::Duration;

use super::sample::{NOW, errored, planned, policy, run_of, skipped, trial};
use crate::record::{Admission, Criticality, Outcome, Run, Severity, SkipClass, Trial};
use crate::verdict::{Decision, Verdict, judge};

fn any_outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        Just(None),
        Just(Some(Outcome::Passed)),
        Just(Some(Outcome::Failed)),
        Just(Some(errored())),
        Just(Some(skipped(SkipClass::NotApplicable))),
        Just(Some(skipped(SkipClass::PreconditionMissing))),
        Just(Some(skipped(SkipClass::Filtered))),
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
        checks in prop::collection::vec((any_check(), prop::collection::vec((any_outcome(), 0..3_u8), 0..4)), 0..6),
        lines in prop_oneof![4 => Just(3), 1 => 0..3_usize],
        has_plan in proptest::bool::weighted(0.95),
    ) -> Run {
        let mut plan = Vec::new();
        let mut trials = Vec::new();
        for (index, ((severity, criticality, admitted), outcomes)) in checks.into_iter().enumerate() {
            let mut check = planned(&format!("p::c{index}"), severity, criticality);
            if !admitted {
                check.admission = Admission::Refused { class: SkipClass::Filtered, reason: "no".to_owned() };
            }
            for (attempt, (outcome, seconds)) in (1..).zip(outcomes) {
                let finished = outcome.clone().map(|outcome| (outcome, f64::from(seconds)));
                trials.push(Trial { attempt, finished, ..trial(&check.id, outcome) });
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
        let before = judge(&run, &policy(), NOW).decision;
        let mut less = run.clone();
        let gone = less.trials[index.index(less.trials.len())].check.clone();
        less.trials.retain(|trial| trial.check != gone);
        let after = judge(&less, &policy(), NOW).decision;
        prop_assert!(after > Decision::Go, "without {gone}: {after}");
        let denied = |decision| decision >= Decision::Inconclusive;
        prop_assert!(!denied(before) || denied(after), "without {gone} from {before} to {after}");
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

proptest! {
    #[test]
    fn a_vanished_answer_never_makes_a_deny_an_allow_where_it_was_required(
        run in any_run(), index in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).exit_code(false);
        let mut less = run.clone();
        let gone = less.trials[index.index(less.trials.len())].check.clone();
        prop_assume!(run.plan.iter().flat_map(|plan| &plan.checks).all(|check| {
            check.id != gone || check.criticality == Criticality::Required
        }));
        less.trials.retain(|trial| trial.check != gone);
        let after = judge(&less, &policy(), NOW).exit_code(false);
        prop_assert!(before == 0 || after != 0, "from exit code {before} to {after}");
    }

    #[test]
    fn a_lost_end_never_makes_a_deny_an_allow(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).exit_code(false);
        let mut torn = run.clone();
        let index = index.index(torn.trials.len());
        torn.trials[index].finished = None;
        let after = judge(&torn, &policy(), NOW).exit_code(false);
        prop_assert!(before == 0 || after != 0, "from exit code {before} to {after}");
    }

    #[test]
    fn the_reasons_agree_with_the_decision(run in any_run()) {
        let verdict = judge(&run, &policy(), NOW);
        let worst = verdict.reasons.iter().map(|reason| reason.allows).max();
        prop_assert_eq!(verdict.decision, worst.unwrap_or(Decision::Go));
        prop_assert_eq!(verdict.reason.is_none(), verdict.decision == Decision::Go);
        prop_assert!(verdict.reason.is_none_or(|reason| reason.chars().count() <= 200));
    }

    #[test]
    fn a_verdict_is_read_back_as_it_was_written(run in any_run()) {
        let verdict = judge(&run, &policy(), NOW);
        let text = serde_json::to_string(&verdict).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }
}
