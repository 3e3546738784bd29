//! Support for cargo-nextest: one stack for many processes, because each check runs in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use cutover_stack::StackInfo;

/// The variable by which cargo-nextest announces one process per test, and its value.
const EXECUTION_MODE: (&str, &str) = ("NEXTEST_EXECUTION_MODE", "process-per-test");

/// Whether other processes run the other checks of this run.
pub(crate) fn is_shared_run() -> bool {
    let (name, value) = EXECUTION_MODE;
    std::env::var(name).is_ok_and(|mode| mode == value)
}

/// The stack of this run. The first process that needs it starts it in a background
/// process, which keeps it for the lifetime of their common parent.
pub(crate) fn shared_stack(program: &Path, run_directory: &Path) -> anyhow::Result<StackInfo> {
    fs::create_dir_all(run_directory)?;
    // The lock is held until the address is written. The end of a process releases it.
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

/// Starts the background process and reads the line that it prints: the stack's directory.
fn start(program: &Path) -> anyhow::Result<PathBuf> {
    let mut background = Command::new(program)
        .args(["stack", "up", "--follow", &parent_id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // cargo-nextest reports a standard error that outlives the test as a leak.
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("start the background process of the stack")?;
    let mut line = String::new();
    if let Some(stdout) = background.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    anyhow::ensure!(
        !line.is_empty(),
        "the stack did not start; run `cutover stack up` to see the error"
    );
    Ok(PathBuf::from(line.trim_end()))
}
