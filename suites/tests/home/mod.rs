//! A cutover with runs and stacks in directories of its own, for tests of whole runs.

use std::process::{Child, Command, Stdio};

use cutover_harness::record::Run;
use tempfile::TempDir;

use crate::waiting::wait_for;

/// Where its runs and its stacks go.
pub(crate) struct Home {
    pub(crate) output: TempDir,
    pub(crate) stacks: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let stacks = tempfile::Builder::new()
            .prefix("cutover-home-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        Self {
            output: TempDir::new().unwrap(),
            stacks,
        }
    }

    /// One of its verbs, silent.
    pub(crate) fn cutover(&self, verb: &str) -> Command {
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

    /// The newest run.
    pub(crate) fn run(&self) -> Run {
        Run::load(&self.output.path().join("latest")).unwrap()
    }

    /// Waits until trials have begun, which they do only while the run goes on.
    pub(crate) fn under_way(&self, run: &mut Child) {
        let trials = self.output.path().join("latest/trials");
        wait_for("the first trial", || {
            assert_eq!(run.try_wait().unwrap(), None, "the run has ended");
            std::fs::read_dir(&trials)
                .is_ok_and(|mut entries| entries.next().is_some())
                .then_some(())
        });
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
