//! A pipeline that somebody else runs is stopped and started by the commands of its target file, and is put back.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cutover_harness::record::{Outcome, Run, RunEvent};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything here may take; far more than it does.
const DEADLINE: Duration = Duration::from_mins(1);

/// A stack of somebody else's: its processes are known by their pids alone.
struct World {
    directory: TempDir,
    card: Value,
}

impl World {
    /// Starts it; nothing where processes cannot be looked into.
    fn start() -> Option<Self> {
        if !Path::new("/proc/self/environ").exists() {
            println!("SKIPPED, for there is no /proc");
            return None;
        }
        let directory = tempfile::Builder::new()
            .prefix("cutover-home-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        let mut world = Self {
            directory,
            card: Value::Null,
        };
        let up = world.cutover(&["stack", "up"]);
        assert!(up.status.success(), "{up:?}");
        let stack = String::from_utf8(up.stdout).unwrap();
        let card = fs::read_to_string(Path::new(stack.trim()).join("card.json")).unwrap();
        world.card = serde_json::from_str(&card).unwrap();
        Some(world)
    }

    fn cutover(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command
            .args(arguments)
            .env("TMPDIR", self.directory.path())
            .env_remove("NEXTEST_RUN_ID")
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// A directory with all that is needed to stop and start a process, and how.
    fn part(&self, name: &str, process: &Value) -> String {
        let part = self.directory.path().join(name);
        fs::create_dir(&part).unwrap();
        let pid = process["mark"]["pid"].as_u64().unwrap();
        fs::copy(format!("/proc/{pid}/environ"), part.join("environ")).unwrap();
        fs::write(part.join("pid"), pid.to_string()).unwrap();
        let stack = self.card["directory"].as_str().unwrap();
        let script = format!(
            "set -e; cd {part}\ncase $1 in\n\
             stop) kill -9 $(cat pid);;\n\
             start) xargs -0 -a environ sh -c 'cd {stack}; exec 3>{part}/pid; \
             env -i \"$@\" {cutover} reference {name} </dev/null >/dev/null 2>&1 3>&- & echo $! >&3' sh;;\nesac\n",
            part = part.display(),
            cutover = env!("CARGO_BIN_EXE_cutover"),
        );
        fs::write(part.join("control.sh"), script).unwrap();
        let word = |verb| format!("[\"sh\", \"{}/control.sh\", \"{verb}\"]", part.display());
        format!(
            "[control.{name}]\nstop = {}\nstart = {}\n",
            word("stop"),
            word("start")
        )
    }

    /// Writes the target file and gives its path.
    fn target(&self, control: &str) -> PathBuf {
        let text = |pointer: &str| self.card.pointer(pointer).unwrap().as_str().unwrap();
        let secret = self.directory.path().join("jwt_secret");
        fs::write(&secret, text("/supabase/jwt_secret")).unwrap();
        let target = format!(
            "schema = 1\nname = \"theirs\"\nclass = \"local\"\n[api]\nurl = \"{}\"\n\
             [identity.mint]\nsecret = {{ file = \"{}\" }}\nissuer = \"{}\"\n{control}",
            text("/api_url"),
            secret.display(),
            text("/supabase/issuer"),
        );
        let path = self.directory.path().join("theirs.toml");
        fs::write(&path, target).unwrap();
        path
    }

    fn worker_is_alive(&self) -> bool {
        let pid = fs::read_to_string(self.directory.path().join("worker/pid")).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn run(&self) -> Run {
        Run::load(&self.directory.path().join("target/cutover/latest")).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let down = self.cutover(&["stack", "down"]);
        // A test that fails already says enough.
        if !std::thread::panicking() {
            assert!(down.status.success(), "{down:?}");
        }
    }
}

const CHECKS: [&str; 2] = [
    "pipeline::a_dead_worker_is_not_ready",
    "pipeline::what_was_accepted_outlives_the_api",
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
    let begin = Instant::now();
    while world.worker_is_alive() {
        assert!(begin.elapsed() < DEADLINE, "the worker was never stopped");
        std::thread::yield_now();
    }
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
    let life = world.run().life;
    let is_told = |event: &RunEvent| matches!(event, RunEvent::Incident { what } if what.contains("was not put back"));
    assert!(life.iter().any(|line| is_told(&line.event)), "{life:?}");
    assert!(!world.worker_is_alive());
    let left = world.cutover(&["sweep", "--target", target]);
    assert!(!left.status.success(), "{left:?}");
    world.target(&control);
    let swept = world.cutover(&["sweep", "--target", target]);
    assert!(swept.status.success(), "{swept:?}");
    assert!(world.worker_is_alive(), "{swept:?}");
}
