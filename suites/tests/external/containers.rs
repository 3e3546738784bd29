//! A stack of containers: what a run does with it, and what is left after a run ends or is killed.

use std::fs;
use std::process::{Command, Output, Stdio};

use cutover_harness::record::Outcome;
use cutover_test_support::{Signal, TestHome, TestProcess};

use crate::{Tests, test_home, tests};

pub(crate) const TESTS: &Tests = tests![
    checks_control_containers_as_they_control_processes,
    an_interrupted_run_leaves_no_container,
    the_containers_of_a_killed_run_are_swept,
    the_containers_of_a_deleted_directory_are_swept,
    without_an_image_nothing_runs_and_the_remedy_is_named,
];

/// The images of a target that names none.
pub(crate) const IMAGES: [&str; 2] = ["pgvector/pgvector:pg17", "cutover-pipeline:latest"];

/// Checks that read the database and the logs, kill, pause and scale workers, and start a process.
const CHECKS: [&str; 5] = [
    "every_chunk_has_its_own_vector",
    "a_killed_workers_job_is_finished_once",
    "a_worker_with_an_expired_lease_changes_nothing",
    "a_process_refuses_to_start_unconfigured",
    "nothing_confidential_is_logged",
];

/// A validation on containers.
const VALIDATE: [&str; 3] = ["validate", "--stack", "containers"];

/// What a Docker command prints.
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The containers, networks and volumes of the stacks of a test.
fn docker_leftovers(home: &TestHome) -> String {
    let label = format!("label=cutover.root={}", home.stacks().display());
    [
        docker(&["ps", "--all", "--quiet", "--filter", &label]),
        docker(&["network", "ls", "--quiet", "--filter", &label]),
        docker(&["volume", "ls", "--quiet", "--filter", &label]),
    ]
    .concat()
}

/// Starts a run, and waits for its first trial.
fn start_run(home: &TestHome) -> TestProcess {
    let mut run = home.spawn(VALIDATE);
    home.wait_for_first_trial(&mut run);
    run
}

fn sweep(home: &TestHome) {
    let swept = home.run(["sweep"]);
    assert!(swept.status.success(), "{swept:?}");
    assert_eq!(docker_leftovers(home), "");
}

fn checks_control_containers_as_they_control_processes() {
    let home = test_home();
    let mut validate = home.command(VALIDATE);
    let validate = validate.args(CHECKS.map(|check| format!("--check={check}")));
    let output: Output = validate.stdout(Stdio::null()).output().unwrap();
    let run = home.newest_run();
    // A run of some checks is never a GO.
    assert_eq!(
        output.status.code(),
        Some(3),
        "{output:?}: {:?}",
        run.journal
    );
    assert!(run.trials.len() >= CHECKS.len(), "{}", run.trials.len());
    for trial in &run.trials {
        let outcome = trial.outcome();
        assert!(matches!(outcome, Some(Outcome::Passed)), "{trial:?}");
    }
    assert_eq!(docker_leftovers(&home), "");
}

fn an_interrupted_run_leaves_no_container() {
    let home = test_home();
    let mut run = start_run(&home);
    run.send_signal(Signal::INT);
    assert_eq!(run.wait().code(), Some(3));
    assert_eq!(docker_leftovers(&home), "");
}

fn the_containers_of_a_killed_run_are_swept() {
    let home = test_home();
    start_run(&home).kill();
    assert_ne!(docker_leftovers(&home), "", "there is nothing to sweep");
    sweep(&home);
    assert_eq!(home.leftovers(), [""; 0]);
}

fn the_containers_of_a_deleted_directory_are_swept() {
    let home = test_home();
    let root = format!("cutover.root={}", home.stacks().display());
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap();
    let namespace = format!("cutover.pid-namespace={}", namespace.display());
    let labels = [
        "--label",
        "cutover.stack=0",
        "--label",
        &root,
        "--label",
        &namespace,
    ];
    docker(&[&["create"], &labels[..], &[IMAGES[1], "api"]].concat());
    docker(&[&["volume", "create"], &labels[..]].concat());
    sweep(&home);
}

fn without_an_image_nothing_runs_and_the_remedy_is_named() {
    let home = test_home();
    home.write(
        "target.toml",
        "schema = 1\nname = \"x\"\nclass = \"local\"\n\
         [stack]\nkind = \"containers\"\n\
         [stack.images]\npipeline = \"cutover-missing:0\"\n",
    );
    let output = home.run(["validate", "--target", "target.toml"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("'cutover-missing:0'"), "{error}");
    assert!(error.contains("fixtures/images/build"), "{error}");
    assert_eq!(home.files(), ["target.toml"], "something was written");
    assert_eq!(docker_leftovers(&home), "");
}
