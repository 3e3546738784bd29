//! The control commands of a target are run for checks, and their effects are undone.

use cutover_harness::record::{Outcome, RunEvent};
use cutover_test_support::wait_for;

use super::stack::{AttachedStack, TARGET};

/// One check that stops the worker, and one that kills the API.
const CHECKS: [&str; 2] = [
    "pipeline::a_dead_worker_is_not_ready",
    "failure::accepted_documents_survive_an_api_restart",
];

/// A validation by the check that stops the worker.
const STOP_THE_WORKER: [&str; 5] = ["validate", "--target", TARGET, "--check", CHECKS[0]];

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn control_commands_are_run_and_undone() {
    let stack = AttachedStack::start();
    let worker = stack.control("worker", &stack.info["workers"][0]);
    let api = stack.control("api", &stack.info["api"]);
    stack.write_target(&(worker + &api));
    let both = [&STOP_THE_WORKER[..], &["--check", CHECKS[1]]].concat();
    let validated = stack.home.run(both);
    let run = stack.home.newest_run();
    for check in CHECKS {
        let mut trials = run.trials.iter();
        let trial = trials.find(|trial| trial.check.as_str() == check);
        let outcome = trial.and_then(|trial| trial.outcome().cloned());
        assert_eq!(outcome, Some(Outcome::Passed), "{check}: {validated:?}");
    }
    assert!(stack.worker_is_alive());

    // A run that is killed while the worker is stopped leaves the start to the sweep.
    let mut killed = stack.home.spawn(STOP_THE_WORKER);
    wait_for("the end of the worker", || {
        (!stack.worker_is_alive()).then_some(())
    });
    killed.kill();
    let swept = stack.home.run(["sweep", "--target", TARGET]);
    // A document whose registration may not have arrived is another matter: see the sweep of documents.
    let report = String::from_utf8_lossy(&swept.stdout);
    assert!(report.contains(" 1 control actions undone"), "{swept:?}");
    assert!(stack.worker_is_alive(), "{swept:?}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_run_ends_when_an_effect_cannot_be_undone() {
    let stack = AttachedStack::start();
    let control = stack.control("worker", &stack.info["workers"][0]);
    let broken = control.replace("start = [\"sh\", ", "start = [\"false\", ");
    stack.write_target(&broken);
    let validated = stack.home.run(STOP_THE_WORKER);
    assert_eq!(validated.status.code(), Some(3), "{validated:?}");
    let journal = stack.home.newest_run().journal;
    let is_reported = |event: &RunEvent| matches!(event, RunEvent::Incident { what } if what.contains("was not restored"));
    assert!(
        journal.iter().any(|line| is_reported(&line.event)),
        "{journal:?}"
    );
    assert!(!stack.worker_is_alive());
    let failed = stack.home.run(["sweep", "--target", TARGET]);
    assert!(!failed.status.success(), "{failed:?}");

    stack.write_target(&control);
    let swept = stack.home.run(["sweep", "--target", TARGET]);
    assert!(swept.status.success(), "{swept:?}");
    assert!(stack.worker_is_alive(), "{swept:?}");
}
