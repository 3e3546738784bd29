//! One stack for many processes: cargo-nextest runs every check in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use cutover_stack::StackInfo;

/// How cargo-nextest says that it runs one process per test.
const MODE: (&str, &str) = ("NEXTEST_EXECUTION_MODE", "process-per-test");

/// Whether other processes run the other checks of this run.
pub(crate) fn is_shared_run() -> bool {
    std::env::var(MODE.0).is_ok_and(|mode| mode == MODE.1)
}

/// The stack of this run: the first process that asks has it started, by a
/// process that keeps it for as long as the parent of all of them lives.
pub(crate) fn shared_stack(program: &Path, run_directory: &Path) -> anyhow::Result<StackInfo> {
    fs::create_dir_all(run_directory)?;
    // The lock is held until the address is written; a process that dies lets it go.
    let lock = File::create(run_directory.join("stack.lock"))?;
    lock.lock()?;
    let address = run_directory.join("stack.address");
    let directory = if let Ok(directory) = fs::read_to_string(&address) {
        PathBuf::from(directory)
    } else {
        let directory = start(program)?;
        fs::write(&address, directory.as_os_str().as_encoded_bytes())?;
        directory
    };
    Ok(StackInfo::read(&directory)?)
}

/// Starts the keeper and waits for the one line it prints: the stack's directory.
fn start(program: &Path) -> anyhow::Result<PathBuf> {
    let mut keeper = Command::new(program)
        .args(["stack", "up", "--follow", &parent_id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // A standard error that outlives the test would look like a leak.
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("start the keeper of the stack")?;
    let mut line = String::new();
    if let Some(stdout) = keeper.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    anyhow::ensure!(
        !line.is_empty(),
        "the stack did not start; `cutover stack up` says why"
    );
    Ok(PathBuf::from(line.trim_end()))
}
