//! Tests of selections: one that selects nothing is the first deciding reason.

use super::sample::{NOW, plan, policy, refuse, run_with};
use crate::policy::Policy;
use crate::record::{Effect, Profile, Run, RunEvent, SkipClass};
use crate::verdict::{Decision, judge};

/// A run of `p::other` and `p::it` with a selection that excludes both, so that no stack starts.
fn run_without_checks(suites: &[&str], filters: &[&str]) -> Run {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut run = run_with(|run| refuse(run, SkipClass::Filtered));
    run.trials.clear();
    run.journal
        .retain(|entry| matches!(entry.event, RunEvent::Finished { .. }));
    let plan = plan(&mut run);
    plan.checks[0].admission = plan.checks[1].admission.clone();
    plan.selection.suites = owned(suites);
    plan.selection.filters = owned(filters);
    run
}

#[test]
fn an_empty_selection_is_the_deciding_reason() {
    for (suites, filters, reason) in [
        (&[][..], &["x"][..], "no check matches 'x'"),
        (&["p"], &["x"], "no check of suite 'p' matches 'x'"),
        (&["p", "q"], &["it"], "no check belongs to suite 'q'"),
        (&[], &["p::it", "x"], "no check matches 'x'"),
    ] {
        let verdict = judge(&run_without_checks(suites, filters), &policy(), NOW);
        assert_eq!(verdict.decision, Decision::Inconclusive);
        assert_eq!(verdict.reason.as_deref(), Some(reason));
    }
}

/// The sample policy with a smoke profile that excludes every check with an effect.
fn read_only_smoke() -> Policy {
    let rule = toml::from_str("effects = \"read\"").unwrap();
    Policy {
        profiles: [(Profile::Smoke, rule)].into(),
        ..policy()
    }
}

#[test]
fn a_selection_outside_of_the_profile_is_empty() {
    for (suites, filters, reason) in [
        (
            &[][..],
            &["it"][..],
            "no check of profile smoke matches 'it'",
        ),
        (&["p"], &[], "no check of suite 'p' is in profile smoke"),
    ] {
        let mut run = run_without_checks(suites, filters);
        plan(&mut run).profile = Profile::Smoke;
        for check in &mut plan(&mut run).checks {
            check.effect = Effect::WriteTenant;
        }
        let verdict = judge(&run, &read_only_smoke(), NOW);
        assert_eq!(verdict.reason.as_deref(), Some(reason));
    }
}

#[test]
fn a_selection_of_planned_checks_is_no_reason() {
    let selected = run_with(|run| {
        plan(run).selection.suites = vec!["p".to_owned()];
        plan(run).selection.filters = vec!["p::".to_owned()];
    });
    assert_eq!(judge(&selected, &policy(), NOW).decision, Decision::Go);
}
