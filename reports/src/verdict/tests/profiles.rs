//! Tests of profiles: only a check inside the profile can be missing, and a failure always counts.

use super::sample::{NOW, plan, policy, refuse, run_with, set_outcome};
use crate::policy::Policy;
use crate::record::{Effect, Outcome, Profile, Run, SkipClass};
use crate::verdict::{Decision, judge};

/// The sample policy with a smoke profile of read-only checks over HTTP.
fn read_only_smoke() -> Policy {
    let smoke =
        "suites = [\"p\"]\neffects = \"read\"\nneeds = [\"http\"]\nlacks = [\"contract.events\"]";
    let mut policy = policy();
    policy.profiles = [(Profile::Smoke, toml::from_str(smoke).unwrap())].into();
    policy
}

fn decision(profile: Profile, change: impl FnOnce(&mut Run)) -> Decision {
    let run = run_with(|run| {
        plan(run).profile = profile;
        change(run);
    });
    judge(&run, &read_only_smoke(), NOW).decision
}

fn writes(run: &mut Run) {
    plan(run).checks[1].effect = Effect::WriteTenant;
}

fn needs_database(run: &mut Run) {
    plan(run).checks[1].needs = vec!["database".to_owned()];
}

fn lacks_events(run: &mut Run) {
    plan(run).checks[1].lacks = vec!["own_stack".to_owned(), "contract.events".to_owned()];
}

#[test]
fn a_check_outside_of_the_profile_is_not_missing() {
    for exclude in [writes, needs_database, lacks_events] {
        let skipped = |run: &mut Run| {
            exclude(run);
            refuse(run, SkipClass::Filtered);
        };
        assert_eq!(decision(Profile::Smoke, skipped), Decision::Go);
        assert_eq!(decision(Profile::Gate, skipped), Decision::Inconclusive);
    }
}

#[test]
fn a_check_inside_the_profile_can_be_missing_and_a_failure_always_counts() {
    let skipped = |run: &mut Run| refuse(run, SkipClass::Filtered);
    assert_eq!(decision(Profile::Smoke, skipped), Decision::Inconclusive);
    let lacks_more = |run: &mut Run| {
        plan(run).checks[1].lacks = vec!["own_stack".to_owned()];
        refuse(run, SkipClass::PreconditionMissing);
    };
    assert_eq!(decision(Profile::Smoke, lacks_more), Decision::Inconclusive);
    let lost = |run: &mut Run| {
        writes(run);
        run.trials.pop();
    };
    assert_eq!(decision(Profile::Smoke, lost), Decision::Inconclusive);
    let failed = |run: &mut Run| {
        writes(run);
        set_outcome(run, Outcome::Failed);
    };
    assert_eq!(decision(Profile::Smoke, failed), Decision::NoGo);
}
