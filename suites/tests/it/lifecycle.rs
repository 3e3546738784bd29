//! Runs that are interrupted, killed, repeated or parallel: each is judged, and leaves nothing behind.

use std::process::Command;

use cutover_harness::record::{Outcome, RunEvent, Trial};
use cutover_test_support::{Signal, TestHome, TestProcess, wait_for};

use crate::test_home;

fn validate(home: &TestHome, profile: &str) -> TestProcess {
    home.spawn(["validate", "--profile", profile])
}

/// The number of stacks that are left.
fn stack_directories(home: &TestHome) -> usize {
    let names = home.leftovers();
    let is_stack = |name: &&std::ffi::OsString| name.to_string_lossy().starts_with("cutover-");
    names.iter().filter(is_stack).count()
}

/// Waits until the last process of the stacks is gone: a killed process takes a moment to die.
fn wait_for_last_process(home: &TestHome) {
    let stacks = home.stacks().display().to_string();
    wait_for("the end of the last process", || {
        let all = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        let all = String::from_utf8_lossy(&all.stdout).into_owned();
        (!all.contains(&stacks)).then_some(())
    });
}

#[test]
fn an_interrupted_run_is_inconclusive_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let home = test_home();
        let mut run = validate(&home, "gate");
        home.wait_for_first_trial(&mut run);
        run.send_signal(signal);
        assert_eq!(run.wait().code(), Some(3), "after {signal:?}");
        let journal = home.newest_run().journal;
        assert!(
            journal
                .iter()
                .any(|line| matches!(line.event, RunEvent::Interrupted { .. })),
            "{journal:?}"
        );
        for file in ["verdict.json", "summary.md", "junit.xml"] {
            let path = home.newest_run_directory().join(file);
            assert!(path.exists(), "{file} after {signal:?}");
        }
        assert_eq!(stack_directories(&home), 0, "after {signal:?}");
        wait_for_last_process(&home);
    }
}

#[test]
fn a_killed_run_is_inconclusive_and_swept() {
    let home = test_home();
    let mut run = validate(&home, "gate");
    home.wait_for_first_trial(&mut run);
    run.kill();
    let judged = home.run(["judge".as_ref(), home.newest_run_directory().as_os_str()]);
    assert_eq!(judged.status.code(), Some(3));
    assert!(stack_directories(&home) > 0, "there is nothing to sweep");
    assert!(home.run(["sweep"]).status.success());
    assert_eq!(stack_directories(&home), 0);
    wait_for_last_process(&home);
}

/// Faults act, processes are frozen or missing when their run is killed.
#[test]
fn a_run_that_is_killed_in_a_scenario_is_swept() {
    for check in [
        "a_broken_link_loses_nothing::worker",
        "another_worker_replaces_a_frozen_one",
        "a_random_walk_of_faults_loses_nothing",
    ] {
        let home = test_home();
        let mut run = home.spawn(["validate", "--check", check]);
        home.wait_for_first_trial(&mut run);
        run.kill();
        assert!(home.run(["sweep"]).status.success(), "{check}");
        assert_eq!(stack_directories(&home), 0, "{check}");
        wait_for_last_process(&home);
    }
}

/// A policy whose profile `smoke` has these settings.
fn policy(settings: &str) -> String {
    format!(
        "schema = 1\nname = \"test\"\nmax_age = \"1h\"\n\
         [[suite]]\nid = \"smoke\"\nrequired = true\n\
         [profile.smoke]\nsuites = [\"smoke\"]\neffects = \"write_tenant\"\n{settings}\n"
    )
}

#[test]
fn a_profile_repeats_its_checks_until_its_time_budget_is_spent() {
    for (settings, code, attempts) in [
        ("rounds = 2", 0, 2),
        ("rounds = 1000\ntime_budget = \"3s\"", 0, 1),
        ("time_budget = \"0s\"", 3, 0),
    ] {
        let home = test_home();
        home.write("policy.toml", &policy(settings));
        let arguments = ["validate", "--profile", "smoke", "--policy", "policy.toml"];
        let status = home.spawn(arguments).wait();
        let run = home.newest_run();
        assert_eq!(status.code(), Some(code), "{settings}: {:?}", run.journal);
        let passed = |trial: &&Trial| trial.outcome() == Some(&Outcome::Passed);
        let check = "smoke::a_deleted_document_is_gone";
        let trials = run.trials.iter();
        let trials = trials.filter(|trial| trial.check.as_str() == check);
        assert!(trials.filter(passed).count() >= attempts, "{settings}");
        assert_eq!(stack_directories(&home), 0);
    }
}

#[test]
fn two_parallel_runs_are_both_a_go() {
    let homes = [test_home(), test_home()];
    let mut runs = homes.each_ref().map(|home| validate(home, "smoke"));
    for (run, home) in runs.iter_mut().zip(&homes) {
        let status = run.wait();
        assert_eq!(status.code(), Some(0), "{:?}", home.newest_run().journal);
        assert_eq!(stack_directories(home), 0);
    }
}
