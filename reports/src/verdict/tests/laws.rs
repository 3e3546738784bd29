//! Properties of every run: the verdict is total, order-free and monotone.

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
        entries in prop_oneof![4 => Just(3), 1 => 0..3_usize],
        has_plan in proptest::bool::weighted(0.95),
        filter in prop_oneof![4 => Just(None), 1 => Just(Some("p::c0")), 1 => Just(Some("x"))],
    ) -> Run {
        let mut plan = Vec::new();
        let mut trials = Vec::new();
        for (index, ((severity, criticality, admitted), outcomes)) in checks.into_iter().enumerate() {
            let mut check = planned(&format!("p::c{index}"), severity, criticality);
            if !admitted {
                check.admission = Admission::Refused { class: SkipClass::Filtered, reason: "filtered".to_owned() };
            }
            for (attempt, (outcome, seconds)) in (1..).zip(outcomes) {
                let finished = outcome.clone().map(|outcome| (outcome, f64::from(seconds)));
                trials.push(Trial { attempt, finished, ..trial(&check.id, outcome) });
            }
            plan.push(check);
        }
        let mut run = run_of(plan, trials);
        run.journal.truncate(entries);
        run.plan = run.plan.filter(|_| has_plan);
        if let Some(plan) = &mut run.plan {
            plan.selection.filters.extend(filter.map(str::to_owned));
        }
        run
    }
}

proptest! {
    #[test]
    fn the_order_of_trials_does_not_matter(run in any_run(), rotation in 0..6_usize) {
        let mut other = run.clone();
        other.trials.reverse();
        let middle = rotation.min(other.trials.len());
        other.trials.rotate_left(middle);
        prop_assert_eq!(judge(&run, &policy(), NOW), judge(&other, &policy(), NOW));
    }

    #[test]
    fn removing_a_result_is_never_a_go(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).decision;
        let mut less = run.clone();
        let removed = less.trials[index.index(less.trials.len())].check.clone();
        less.trials.retain(|trial| trial.check != removed);
        let after = judge(&less, &policy(), NOW).decision;
        prop_assert!(after > Decision::Go, "without {removed}: {after}");
        let denied = |decision| decision >= Decision::Inconclusive;
        prop_assert!(!denied(before) || denied(after), "without {removed} from {before} to {after}");
    }

    #[test]
    fn an_additional_failure_never_improves_the_decision(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).decision;
        let mut more = run.clone();
        let failed = more.trials[index.index(more.trials.len())].check.clone();
        more.trials.push(Trial { attempt: 9, ..trial(&failed, Some(Outcome::Failed)) });
        let after = judge(&more, &policy(), NOW).decision;
        prop_assert!(after > Decision::Go && after >= before, "from {before} to {after}");
    }

    #[test]
    fn older_evidence_never_improves_the_decision(run in any_run(), hours in 0..10_i64) {
        let before = judge(&run, &policy(), NOW).decision;
        let after = judge(&run, &policy(), NOW + Duration::hours(hours)).decision;
        prop_assert!(after >= before, "from {before} to {after}");
    }
}

proptest! {
    #[test]
    fn removing_a_required_result_never_turns_a_deny_into_an_allow(
        run in any_run(), index in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).exit_code(false);
        let mut less = run.clone();
        let removed = less.trials[index.index(less.trials.len())].check.clone();
        prop_assume!(run.plan.iter().flat_map(|plan| &plan.checks).all(|check| {
            check.id != removed || check.criticality == Criticality::Required
        }));
        less.trials.retain(|trial| trial.check != removed);
        let after = judge(&less, &policy(), NOW).exit_code(false);
        prop_assert!(before == 0 || after != 0, "from exit code {before} to {after}");
    }

    #[test]
    fn removing_an_outcome_never_turns_a_deny_into_an_allow(run in any_run(), index in any::<prop::sample::Index>()) {
        prop_assume!(!run.trials.is_empty());
        let before = judge(&run, &policy(), NOW).exit_code(false);
        let mut truncated = run.clone();
        let index = index.index(truncated.trials.len());
        truncated.trials[index].finished = None;
        let after = judge(&truncated, &policy(), NOW).exit_code(false);
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
    fn a_verdict_survives_a_round_trip_through_json(run in any_run()) {
        let verdict = judge(&run, &policy(), NOW);
        let text = serde_json::to_string(&verdict).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }
}
