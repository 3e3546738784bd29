//! Stops the processes and containers of a stack and removes its directory, the state file last.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::error::StackDirError;
use crate::containers;
use crate::process_discovery::processes_of_stack;
use crate::state::{ProcessEntry, StackState};

/// How long processes may take to exit after their own kill signal, before SIGKILL.
const GRACE: Duration = Duration::from_millis(1_500);

/// How often the processes and the directory are checked.
const POLL_INTERVAL: Duration = Duration::from_millis(3);

/// How often the removal of a directory is retried while a process still writes to it.
const MAX_RETRIES: usize = 20;

/// Stops a stack and removes its directory; returns how many processes and containers were running.
///
/// Blocking. A stop, a drop and a sweep all use it: the data of a stack is
/// disposable, so no process gets a graceful shutdown.
pub(crate) fn teardown(directory: &Path, state: &StackState) -> Result<usize, StackDirError> {
    let label = state.container_label.as_deref();
    let containers = label.map_or(Ok(0), containers::remove);
    // The processes are stopped even if Docker does not answer.
    let processes = terminate_all(directory, &state.processes)?
        + terminate_all(directory, &processes_of_stack(directory))?;
    let containers = containers?;
    remove_directory(directory)?;
    Ok(processes + containers)
}

fn terminate_all(directory: &Path, processes: &[ProcessEntry]) -> Result<usize, StackDirError> {
    let stopping = running(processes);
    for entry in &stopping {
        // SIGCONT: a paused process handles no other signal than SIGKILL. A failed signal shows below
        // as a process that keeps running.
        let _ = entry.identity.signal(entry.kill_signal.signal());
        let _ = entry.identity.signal(Signal::CONT);
    }
    if !wait_until_gone(processes, GRACE) {
        for entry in running(processes) {
            let _ = entry.identity.signal(Signal::KILL);
        }
        if !wait_until_gone(processes, GRACE) {
            return Err(StackDirError::StillRunning {
                path: directory.to_owned(),
                names: names(&running(processes)),
            });
        }
    }
    Ok(stopping.len())
}

fn running(processes: &[ProcessEntry]) -> Vec<&ProcessEntry> {
    processes
        .iter()
        .filter(|entry| entry.identity.is_alive())
        .collect()
}

fn wait_until_gone(processes: &[ProcessEntry], within: Duration) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if running(processes).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn names(entries: &[&ProcessEntry]) -> String {
    let names: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} (pid {})", entry.name, entry.identity.pid))
        .collect();
    names.join(", ")
}

/// Removes the directory, the state file last: until then, another sweep can finish the removal.
pub(crate) fn remove_directory(directory: &Path) -> Result<(), StackDirError> {
    let mut outcome = empty_and_remove(directory);
    for _ in 0..MAX_RETRIES {
        // A process that is exiting may still create a file during the removal.
        let retry = outcome
            .as_ref()
            .map_or_else(is_not_empty, |()| directory.exists());
        if !retry {
            break;
        }
        thread::sleep(POLL_INTERVAL);
        outcome = empty_and_remove(directory);
    }
    outcome.map_err(|source| StackDirError::Remove {
        path: directory.to_owned(),
        source,
    })
}

fn is_not_empty(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::DirectoryNotEmpty
}

fn empty_and_remove(directory: &Path) -> io::Result<()> {
    let emptied = || {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                ignore_missing(fs::remove_dir_all(entry.path()))?;
            }
        }
        fs::remove_dir_all(directory)
    };
    ignore_missing(emptied())
}

/// A file that another process removed first is not an error.
fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::process_discovery::STACK_VARIABLE;
    use crate::process_discovery::tests::wait_for_environment;
    use crate::stack_dir::StackDir;

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
    fn a_process_that_is_not_registered_yet_is_stopped_with_its_stack() {
        let root = tempfile::tempdir().expect("a directory");
        let stack_dir = StackDir::create(root.path()).expect("a stack");
        let name = stack_dir.name();
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(stack_dir.directory())
            .env(STACK_VARIABLE, name)
            .spawn()
            .expect("sleep");
        wait_for_environment(&child);
        let state = stack_dir.state().snapshot();
        let stopped = teardown(stack_dir.directory(), &state).expect("a teardown");
        assert_eq!(stopped, 1);
        assert!(!stack_dir.directory().exists());
        child.wait().expect("wait");
    }
}
