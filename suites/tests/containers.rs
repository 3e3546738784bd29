//! A stack of containers: a run on it, what a killed run leaves to the sweep, and what is said where there is none.
//!
//! What needs Docker or the images says that it is skipped where they are missing; `just images` builds them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod home;
mod waiting;

use std::path::Path;
use std::process::{Command, Stdio};

use cutover_harness::record::Outcome;
use home::{Home, signal};

/// The images of a target that names none.
const IMAGES: [&str; 2] = ["pgvector/pgvector:pg17", "cutover-pipeline:latest"];

/// Checks that between them kill, pause, scale, try to start, and read what was written.
const CHECKS: [&str; 5] = [
    "every_chunk_has_its_own_vector",
    "a_killed_workers_job_is_finished_once",
    "a_worker_with_an_expired_lease_changes_nothing",
    "a_process_refuses_to_start_unconfigured",
    "nothing_confidential_is_logged",
];

fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}

/// Whether containers can be started here; says why not.
fn can_run() -> bool {
    if docker(&["info"]).is_none() {
        println!("SKIPPED, for nothing was started: Docker does not answer");
        return false;
    }
    for image in IMAGES {
        if docker(&["image", "inspect", image]).is_none() {
            println!(
                "SKIPPED, for nothing was started: no image '{image}'; 'just images' builds it"
            );
            return false;
        }
    }
    true
}

fn validate(home: &Home) -> Command {
    let mut command = home.cutover("validate");
    command
        .args(["--stack", "containers", "--output"])
        .arg(home.output.path());
    command
}

/// What Docker still has of the stacks there: containers, networks and volumes.
fn left(home: &Home) -> String {
    let label = format!("label=cutover.root={}", home.stacks.path().display());
    [
        docker(&["ps", "--all", "--quiet", "--filter", &label]),
        docker(&["network", "ls", "--quiet", "--filter", &label]),
        docker(&["volume", "ls", "--quiet", "--filter", &label]),
    ]
    .map(Option::unwrap)
    .concat()
}

/// What is said before anything has run.
fn refused(home: &Home, mut command: Command) -> String {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(std::fs::read_dir(home.output.path()).unwrap().count(), 0);
    said
}

fn write(directory: &Path, text: &str) -> std::path::PathBuf {
    let path = directory.join("target.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_a_check_does_to_processes_it_can_do_to_containers() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let mut validate = validate(&home);
    validate.args(CHECKS.map(|check| format!("--check={check}")));
    let ended = validate.status().unwrap();
    let run = home.run();
    // A run of some checks is never a GO, however well they went.
    assert_eq!(ended.code(), Some(3), "{:?}", run.journal);
    assert!(run.trials.len() >= CHECKS.len(), "{}", run.trials.len());
    for trial in &run.trials {
        let outcome = trial.outcome();
        assert!(matches!(outcome, Some(Outcome::Passed)), "{trial:?}");
    }
    assert_eq!(left(&home), "");
}

#[test]
fn an_interrupted_run_leaves_no_container() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let mut run = validate(&home).spawn().unwrap();
    home.under_way(&mut run);
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    assert_eq!(left(&home), "");
}

#[test]
fn the_containers_of_a_killed_run_are_swept() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let mut run = validate(&home).spawn().unwrap();
    home.under_way(&mut run);
    signal(&run, "KILL");
    run.wait().unwrap();
    assert_ne!(left(&home), "", "there is nothing to sweep");
    assert!(home.cutover("sweep").status().unwrap().success());
    assert_eq!(left(&home), "");
    assert_eq!(std::fs::read_dir(home.stacks.path()).unwrap().count(), 0);
}

#[test]
fn the_containers_of_a_directory_that_is_gone_are_swept() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let root = format!("cutover.root={}", home.stacks.path().display());
    let world = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let world = format!("cutover.world={}", world.display());
    let labels = [
        "--label",
        "cutover.stack=0",
        "--label",
        &root,
        "--label",
        &world,
    ];
    for what in [["create"].as_slice(), &["volume", "create"]] {
        let image: &[&str] = if what == ["create"] {
            &[IMAGES[1], "api"]
        } else {
            &[]
        };
        docker(&[what, &labels, image].concat()).unwrap();
    }
    assert!(home.cutover("sweep").status().unwrap().success());
    assert_eq!(left(&home), "");
}

#[test]
fn without_an_image_nothing_runs_and_the_remedy_is_named() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let target = write(
        home.stacks.path(),
        "schema = 1\nname = \"x\"\nclass = \"local\"\n\
         [stack]\nkind = \"containers\"\n\
         [stack.images]\npipeline = \"cutover-nobody-made-this:0\"\n",
    );
    let mut validate = home.cutover("validate");
    validate.arg("--target").arg(target).arg("--output");
    validate.arg(home.output.path());
    let said = refused(&home, validate);
    assert!(said.contains("'cutover-nobody-made-this:0'"), "{said}");
    assert!(said.contains("just images"), "{said}");
    assert_eq!(left(&home), "");
}

#[test]
fn without_docker_nothing_runs_and_the_remedy_is_named() {
    let home = Home::new();
    let mut validate = validate(&home);
    validate.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let said = refused(&home, validate);
    assert!(said.contains("reach Docker: install it"), "{said}");
    assert!(said.contains("--stack processes"), "{said}");
}
