//! A smoke run that is killed leaves documents; a sweep finds them in its journal and removes every one.

use std::fs;
use std::process::Stdio;

use crate::waiting::wait_for;
use crate::world::World;

#[test]
fn what_a_killed_smoke_run_has_created_is_swept() {
    let Some(world) = World::start() else { return };
    world.target("");
    let mut smoke = world
        .command(&["smoke", "--target", "theirs.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = world.path("target/cutover/latest/cleanup.jsonl");
    wait_for("the first document", || {
        fs::read_to_string(&journal)
            .is_ok_and(|text| text.contains("created"))
            .then_some(())
    });
    smoke.kill().unwrap();
    smoke.wait().unwrap();
    let sweep = || {
        let swept = world.cutover(&["sweep", "--target", "theirs.toml"]);
        assert!(swept.status.success(), "{swept:?}");
        String::from_utf8(swept.stdout).unwrap()
    };
    let first = sweep();
    assert!(!first.contains(" 0 documents removed"), "{first}");
    assert!(first.contains(" 0 left"), "{first}");
    let again = sweep();
    assert!(again.contains(" 0 documents removed, 0 left"), "{again}");
}
