//! The directories of one test that runs the `cutover` program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cutover_reports::record::Run;
use tempfile::TempDir;

use crate::process::TestProcess;
use crate::wait::wait_for;

/// A working directory and a directory for stacks that one test has to itself.
///
/// A `sweep` from here finds the stacks of this test only.
#[derive(Debug)]
pub struct TestHome {
    program: PathBuf,
    directory: TempDir,
}

impl TestHome {
    /// Creates the directories for a test of this program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        // PostgreSQL runs as another user where the test runs as root, and must reach its stack.
        let directory = tempfile::Builder::new()
            .prefix("cutover-test-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        for name in ["stacks", "work"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let program = program.into();
        Self { program, directory }
    }

    /// A file or directory in the working directory.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    /// Writes a file into the working directory, and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file of the working directory.
    pub fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the working directory.
    pub fn files(&self) -> Vec<OsString> {
        names(&self.path(""))
    }

    /// The directory that stacks are created in.
    pub fn stacks(&self) -> PathBuf {
        self.directory.path().join("stacks")
    }

    /// Whatever runs have left in the directory of stacks.
    pub fn leftovers(&self) -> Vec<OsString> {
        names(&self.stacks())
    }

    /// A call of the program.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env("TMPDIR", self.stacks())
            // Set by a runner around this test, they would join the run to that of the runner.
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("CUTOVER_RUN_ID")
            .stdin(Stdio::null());
        command
    }

    /// Calls the program and waits for its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts the program without output.
    pub fn spawn<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> TestProcess {
        let mut command = self.command(arguments);
        TestProcess::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// The directory of the newest run.
    pub fn newest_run_directory(&self) -> PathBuf {
        self.path("target/cutover/latest")
    }

    /// The newest run.
    pub fn newest_run(&self) -> Run {
        Run::load(&self.newest_run_directory()).unwrap()
    }

    /// Waits until the first trial of a run has started.
    pub fn wait_for_first_trial(&self, run: &mut TestProcess) {
        let trials = self.newest_run_directory().join("trials");
        wait_for("the first trial", || {
            assert_eq!(run.exit_status(), None, "the run has ended");
            let mut entries = fs::read_dir(&trials).ok()?;
            entries.next().map(drop)
        });
    }
}

fn names(directory: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}
