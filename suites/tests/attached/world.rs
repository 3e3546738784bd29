//! A stack that somebody else runs, as far as a target file can tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cutover_harness::record::Run;
use serde_json::Value;
use tempfile::TempDir;

/// The target that is examined when none is named.
const LOCAL: &str = include_str!("../../../fixtures/targets/local.toml");

/// Where the environment of a stack's processes begins in a target file.
const ENVIRONMENT: &str = "[stack.environment]";

/// A stack of somebody else's: its processes are known by their pids alone.
pub(crate) struct World {
    directory: TempDir,
    pub(crate) card: Value,
}

impl World {
    /// Starts it; nothing where processes cannot be looked into.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts it with one more line for the environment of its processes.
    pub(crate) fn start_with(variable: &str) -> Option<Self> {
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
        let own = world.directory.path().join("own.toml");
        let local = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/targets/local.toml"
        );
        let local = fs::read_to_string(local).unwrap();
        let text = local.replacen(ENVIRONMENT, &format!("{ENVIRONMENT}\n{variable}"), 1);
        fs::write(&own, text).unwrap();
        let up = world.cutover(&["stack", "up", "--target", "own.toml"]);
        assert!(up.status.success(), "{up:?}");
        let stack = String::from_utf8(up.stdout).unwrap();
        let card = fs::read_to_string(Path::new(stack.trim()).join("card.json")).unwrap();
        world.card = serde_json::from_str(&card).unwrap();
        Some(world)
    }

    pub(crate) fn cutover(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command
            .args(arguments)
            .env("TMPDIR", self.directory.path())
            .env_remove("NEXTEST_RUN_ID")
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// A file of this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A directory with all that is needed to stop and start a process, and how.
    pub(crate) fn part(&self, name: &str, process: &Value) -> String {
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

    /// Writes the target file, with these tables beside those that it needs, and gives its path.
    pub(crate) fn target(&self, tables: &str) -> PathBuf {
        let (_, limits) = LOCAL.split_once("[contract.limits]").unwrap();
        let contract = format!("[contract.limits]{limits}");
        let text = |pointer: &str| self.card.pointer(pointer).unwrap().as_str().unwrap();
        let secret = self.directory.path().join("jwt_secret");
        fs::write(&secret, text("/supabase/jwt_secret")).unwrap();
        let target = format!(
            "schema = 1\nname = \"theirs\"\nclass = \"local\"\n[api]\nurl = \"{}\"\n\
             [identity.mint]\nsecret = {{ file = \"{}\" }}\nissuer = \"{}\"\n{tables}\n{contract}",
            text("/api_url"),
            secret.display(),
            text("/supabase/issuer"),
        );
        let path = self.directory.path().join("theirs.toml");
        fs::write(&path, target).unwrap();
        path
    }

    /// Host and port of an address of the stack's card.
    pub(crate) fn address(&self, pointer: &str) -> String {
        let url = self.card.pointer(pointer).unwrap().as_str().unwrap();
        url.trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned()
    }

    pub(crate) fn worker_is_alive(&self) -> bool {
        let pid = fs::read_to_string(self.directory.path().join("worker/pid")).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    pub(crate) fn run(&self) -> Run {
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
