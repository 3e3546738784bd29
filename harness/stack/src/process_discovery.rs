//! Finds the running processes of a stack through `/proc`, including unregistered ones.
//!
//! A run that is killed between the start of a process and its registration in the state file
//! leaves an unregistered process. Every process of a stack starts in the stack's directory and
//! has the stack's name in its environment. A shell that a user opens there does not, and is spared.

use std::fs;
use std::path::Path;

use super::process_identity::ProcessIdentity;
use super::state::{KillSignal, ProcessEntry};

/// The variable with the name of the stack that a process belongs to.
pub(crate) const STACK_VARIABLE: &str = "CUTOVER_STACK";

/// PostgreSQL overwrites its environment with its process title, so the program name identifies it.
const POSTGRES: &str = "postgres";

/// The running processes of a stack; empty on systems without `/proc`.
pub(crate) fn processes_of_stack(directory: &Path) -> Vec<ProcessEntry> {
    let (Ok(directory), Ok(processes)) = (directory.canonicalize(), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| process_of_stack(pid, &directory))
        .filter(|entry| entry.identity.is_alive())
        .collect()
}

fn process_of_stack(pid: u32, directory: &Path) -> Option<ProcessEntry> {
    // Read first: if the PID is reused meanwhile, the identity no longer matches.
    let identity = ProcessIdentity::from_pid(pid);
    let proc_file = |name| format!("/proc/{pid}/{name}");
    let inside = fs::read_link(proc_file("cwd")).ok()?.starts_with(directory);
    if !inside || pid == std::process::id() {
        return None;
    }
    let program = fs::read_link(proc_file("exe")).ok()?;
    let name = program.file_name()?.to_string_lossy().into_owned();
    let kill_signal = if name == POSTGRES {
        KillSignal::Quit
    } else if names_stack(&fs::read(proc_file("environ")).ok()?, directory) {
        KillSignal::Kill
    } else {
        return None;
    };
    Some(ProcessEntry {
        name,
        identity,
        kill_signal,
    })
}

fn names_stack(environment: &[u8], directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().as_encoded_bytes();
    environment
        .split(|byte| *byte == 0)
        .filter_map(|variable| variable.strip_prefix(STACK_VARIABLE.as_bytes()))
        .any(|value| value.strip_prefix(b"=") == Some(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::{Child, Command};

    use cutover_test_support::wait_for;

    use super::*;

    /// `spawn` may return a moment before `/proc` shows the environment of the new program.
    pub(crate) fn wait_for_environment(child: &Child) {
        let path = format!("/proc/{}/environ", child.id());
        wait_for("the environment of a program", || {
            let is_shown = fs::read(&path).map_or(true, |environment| !environment.is_empty());
            is_shown.then_some(())
        });
    }

    fn sleeper(directory: &Path, stack: Option<&str>) -> Child {
        let mut command = Command::new("sleep");
        command.arg("60").current_dir(directory);
        if let Some(stack) = stack {
            command.env(STACK_VARIABLE, stack);
        }
        let child = command.spawn().expect("sleep");
        wait_for_environment(&child);
        child
    }

    #[test]
    fn a_process_belongs_to_a_stack_if_its_directory_and_environment_both_match() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = root.path().join("cutover-0123456789");
        fs::create_dir(&directory).expect("a directory");
        let mut all = [
            sleeper(&directory, Some("cutover-0123456789")),
            sleeper(&directory, Some("cutover-9876543210")),
            sleeper(&directory, None),
            sleeper(root.path(), Some("cutover-0123456789")),
        ];
        let found: Vec<u32> = processes_of_stack(&directory)
            .iter()
            .map(|entry| entry.identity.pid)
            .collect();
        let expected = if ProcessIdentity::current().started.is_some() {
            vec![all[0].id()]
        } else {
            Vec::new()
        };
        for child in &mut all {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
        assert_eq!(found, expected);
    }
}
