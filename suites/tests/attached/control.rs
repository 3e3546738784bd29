//! What a target's own commands change is carried out, and put back.

use std::process::Stdio;

use cutover_harness::record::{Outcome, RunEvent};

use crate::waiting::wait_for;
use crate::world::World;

const CHECKS: [&str; 2] = [
    "pipeline::a_dead_worker_is_not_ready",
    "failure::accepted_documents_survive_an_api_restart",
];

#[test]
fn what_is_told_by_command_is_carried_out_and_taken_back() {
    let Some(world) = World::start() else { return };
    let control =
        world.part("worker", &world.card["workers"][0]) + &world.part("api", &world.card["api"]);
    let target = world.target(&control);
    let target = target.to_str().unwrap();
    let validate = [
        "validate", "--target", target, "--check", CHECKS[0], "--check", CHECKS[1],
    ];
    let validated = world.cutover(&validate);
    let run = world.run();
    for check in CHECKS {
        let trial = run
            .trials
            .iter()
            .find(|trial| trial.check.as_str() == check);
        let outcome = trial.and_then(|trial| trial.outcome().cloned());
        assert_eq!(outcome, Some(Outcome::Passed), "{check}: {validated:?}");
    }
    assert!(world.worker_is_alive());

    // A run that is killed while the worker is stopped owes it a start.
    let mut killed = world
        .command(&validate[..5])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the end of the worker", || {
        (!world.worker_is_alive()).then_some(())
    });
    killed.kill().unwrap();
    killed.wait().unwrap();
    let swept = world.cutover(&["sweep", "--target", target]);
    assert!(swept.status.success(), "{swept:?}");
    assert!(world.worker_is_alive(), "{swept:?}");
}

#[test]
fn what_cannot_be_put_back_ends_the_run() {
    let Some(world) = World::start() else { return };
    let control = world.part("worker", &world.card["workers"][0]);
    let broken = control.replace("start = [\"sh\", ", "start = [\"false\", ");
    let target = world.target(&broken);
    let target = target.to_str().unwrap();
    let validated = world.cutover(&["validate", "--target", target, "--check", CHECKS[0]]);
    assert_eq!(validated.status.code(), Some(3), "{validated:?}");
    let life = world.run().journal;
    let is_told = |event: &RunEvent| matches!(event, RunEvent::Incident { what } if what.contains("was not restored"));
    assert!(life.iter().any(|line| is_told(&line.event)), "{life:?}");
    assert!(!world.worker_is_alive());
    let left = world.cutover(&["sweep", "--target", target]);
    assert!(!left.status.success(), "{left:?}");
    world.target(&control);
    let swept = world.cutover(&["sweep", "--target", target]);
    assert!(swept.status.success(), "{swept:?}");
    assert!(world.worker_is_alive(), "{swept:?}");
}
