//! What a profile does not ask for is not missed; what it asks for is, and a failure counts in any case.

use super::sample::{NOW, ends, plan, policy, refused, run_with};
use crate::policy::Policy;
use crate::record::{Effect, Outcome, Profile, Run, SkipClass};
use crate::verdict::{Decision, judge};

/// The sample policy, whose smoke profile reads only, over HTTP.
fn reading() -> Policy {
    let smoke = "suites = [\"p\"]\neffects = \"read\"\nneeds = [\"http\"]";
    let mut policy = policy();
    policy.profiles = [(Profile::Smoke, toml::from_str(smoke).unwrap())].into();
    policy
}

fn decision(profile: Profile, change: impl FnOnce(&mut Run)) -> Decision {
    let run = run_with(|run| {
        plan(run).profile = profile;
        change(run);
    });
    judge(&run, &reading(), NOW).decision
}

fn writes(run: &mut Run) {
    plan(run).checks[1].effect = Effect::WriteTenant;
}

fn needs_database(run: &mut Run) {
    plan(run).checks[1].needs = vec!["database".to_owned()];
}

#[test]
fn what_is_not_asked_for_is_not_missed() {
    for beyond in [writes, needs_database] {
        let left_out = |run: &mut Run| {
            beyond(run);
            refused(run, SkipClass::Filtered);
        };
        assert_eq!(decision(Profile::Smoke, left_out), Decision::Go);
        assert_eq!(decision(Profile::Gate, left_out), Decision::Inconclusive);
    }
}

#[test]
fn what_is_asked_for_is_missed_and_a_failure_counts_in_any_case() {
    let left_out = |run: &mut Run| refused(run, SkipClass::Filtered);
    assert_eq!(decision(Profile::Smoke, left_out), Decision::Inconclusive);
    let lost = |run: &mut Run| {
        writes(run);
        run.trials.pop();
    };
    assert_eq!(decision(Profile::Smoke, lost), Decision::Inconclusive);
    let failed = |run: &mut Run| {
        writes(run);
        ends(run, Outcome::Failed);
    };
    assert_eq!(decision(Profile::Smoke, failed), Decision::NoGo);
}
