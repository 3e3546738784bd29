//! A stack of containers: a run on it, what a killed run leaves to the sweep, and what is said where there is none.
//!
//! What needs Docker or the images says that it is skipped where they are missing; `just images` builds them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover_harness::record::{Outcome, Run};
use tempfile::TempDir;

/// How long anything here may take; far more than it does.
const DEADLINE: Duration = Duration::from_mins(3);

/// The images of a target that names none.
const IMAGES: [&str; 2] = ["pgvector/pgvector:pg17", "cutover-pipeline:latest"];

/// Checks that between them kill, pause, scale, try to start, and read what was written.
const CHECKS: [&str; 5] = [
    "every_chunk_has_its_own_vector",
    "a_killed_workers_job_is_finished_once",
    "a_worker_that_overslept_changes_nothing",
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

/// A cutover with runs and stacks in directories of its own.
struct Home {
    output: TempDir,
    stacks: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            output: TempDir::new().unwrap(),
            stacks: TempDir::new().unwrap(),
        }
    }

    fn cutover(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command
            .arg(verb)
            .env("TMPDIR", self.stacks.path())
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("CUTOVER_RUN_ID")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn validate(&self) -> Command {
        let mut command = self.cutover("validate");
        command
            .args(["--stack", "containers", "--output"])
            .arg(self.output.path());
        command
    }

    fn run(&self) -> Run {
        Run::load(&self.output.path().join("latest")).unwrap()
    }

    /// What Docker still has of the stacks here: containers, networks and volumes.
    fn left(&self) -> String {
        let label = format!("label=cutover.root={}", self.stacks.path().display());
        [
            docker(&["ps", "--all", "--quiet", "--filter", &label]),
            docker(&["network", "ls", "--quiet", "--filter", &label]),
            docker(&["volume", "ls", "--quiet", "--filter", &label]),
        ]
        .map(Option::unwrap)
        .concat()
    }

    /// Waits until trials have begun.
    fn under_way(&self, run: &mut Child) {
        let trials = self.output.path().join("latest/trials");
        wait_for("the first trial", || {
            assert_eq!(run.try_wait().unwrap(), None, "the run has ended");
            std::fs::read_dir(&trials).is_ok_and(|mut entries| entries.next().is_some())
        });
    }

    fn refused(&self, mut command: Command) -> String {
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(std::fs::read_dir(self.output.path()).unwrap().count(), 0);
        said
    }
}

fn wait_for(what: &str, mut seen: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !seen() {
        assert!(begin.elapsed() < DEADLINE, "{what} never came");
        std::thread::yield_now();
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
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
    let mut validate = home.validate();
    validate.args(CHECKS.map(|check| format!("--check={check}")));
    let ended = validate.status().unwrap();
    let run = home.run();
    // A run of some checks is never a GO, however well they went.
    assert_eq!(ended.code(), Some(3), "{:?}", run.life);
    assert!(run.trials.len() >= CHECKS.len(), "{}", run.trials.len());
    for trial in &run.trials {
        let outcome = trial.outcome();
        assert!(matches!(outcome, Some(Outcome::Passed)), "{trial:?}");
    }
    assert_eq!(home.left(), "");
}

#[test]
fn an_interrupted_run_leaves_no_container() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let mut run = home.validate().spawn().unwrap();
    home.under_way(&mut run);
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    assert_eq!(home.left(), "");
}

#[test]
fn the_containers_of_a_killed_run_are_swept() {
    if !can_run() {
        return;
    }
    let home = Home::new();
    let mut run = home.validate().spawn().unwrap();
    home.under_way(&mut run);
    signal(&run, "KILL");
    run.wait().unwrap();
    assert_ne!(home.left(), "", "there is nothing to sweep");
    assert!(home.cutover("sweep").status().unwrap().success());
    assert_eq!(home.left(), "");
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
    assert_eq!(home.left(), "");
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
    let said = home.refused(validate);
    assert!(said.contains("'cutover-nobody-made-this:0'"), "{said}");
    assert!(said.contains("just images"), "{said}");
    assert_eq!(home.left(), "");
}

#[test]
fn without_docker_nothing_runs_and_the_remedy_is_named() {
    let home = Home::new();
    let mut validate = home.validate();
    validate.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let said = home.refused(validate);
    assert!(said.contains("reach Docker: install it"), "{said}");
    assert!(said.contains("--stack processes"), "{said}");
}
