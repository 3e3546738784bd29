//! The stand-ins of a target: served by a run that finds none, used where others serve them, and never left behind.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use crate::waiting::wait_for;
use crate::world::{KEYS, World, is_open, said, signal};

/// Starts a run and waits until it has begun to check something.
fn under_way(world: &World) -> Child {
    let run = world
        .command(&["validate", "--output", "runs"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let trials = world.path("runs/latest/trials");
    wait_for("the first trial", || {
        std::fs::read_dir(&trials)
            .is_ok_and(|mut entries| entries.next().is_some())
            .then_some(())
    });
    run
}

/// Whether the stand-ins are served.
fn are_served(world: &World) -> bool {
    world.ports().into_iter().all(is_open)
}

#[test]
fn those_that_serve_alone_are_used_and_stay() {
    let Some(world) = World::start("") else {
        return;
    };
    let mut alone = world
        .command(&["standins"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(alone.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let told: Vec<_> = lines
        .take_while(|line| !line.starts_with("`cutover validate`"))
        .collect();
    let told = told.join("\n");
    let parser = format!("LLAMAPARSE_BASE_URL=http://127.0.0.1:{}", world.ports()[0]);
    assert!(told.contains(&parser), "{told}");
    assert!(
        told.contains("LLAMAPARSE_API_KEY  from variable LLAMAPARSE_API_KEY"),
        "{told}"
    );
    assert!(!KEYS.iter().any(|(_, key)| told.contains(key)), "{told}");
    assert!(are_served(&world));

    let again = world.command(&["standins"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(said(&again).contains("already running"), "{}", said(&again));
    let doctor = world.cutover(&["doctor"]);
    assert!(
        said(&doctor).contains("stand-ins: already running"),
        "{}",
        said(&doctor)
    );
    let smoked = world.cutover(&["smoke"]);
    assert_eq!(smoked.status.code(), Some(0), "{}", said(&smoked));
    assert!(are_served(&world), "they ended with a run of others");

    signal(&alone, "INT");
    assert!(alone.wait().unwrap().success());
    world.must_be_clean();
}

#[test]
fn an_interrupted_run_ends_those_that_it_serves() {
    let Some(world) = World::start("") else {
        return;
    };
    let mut run = under_way(&world);
    assert!(are_served(&world));
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    world.must_be_clean();
}

#[test]
fn a_sweep_removes_those_of_a_killed_run() {
    let Some(world) = World::start("") else {
        return;
    };
    let mut run = under_way(&world);
    signal(&run, "KILL");
    run.wait().unwrap();
    assert!(are_served(&world), "there is nothing to sweep");
    let mut sweep = world.command(&["sweep", "--output", "runs"]);
    let swept = sweep.output().unwrap();
    assert_eq!(swept.status.code(), Some(0), "{}", said(&swept));
    assert!(said(&swept).contains("1 stacks removed, 1 processes ended"));
    // Its lock is let go of by the kernel; the file stays until the next run on this target.
    for entry in std::fs::read_dir(world.path("stacks")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(name.to_string_lossy().ends_with(".lock"), "{name:?}");
    }
    assert!(!are_served(&world));
}

#[test]
fn a_place_that_somebody_else_has_is_named_and_nothing_runs() {
    let Some(world) = World::start("") else {
        return;
    };
    let [_, embedder, _, control] = world.ports();
    for (port, key) in [
        (embedder, "standins.embedder"),
        (control, "standins.control"),
    ] {
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let refused = world.cutover(&["smoke"]);
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains(key) && said.contains("another port"),
            "{said}"
        );
    }
    world.must_be_clean();
}
