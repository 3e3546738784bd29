//! Takes a stack down: ends what lives in its directory, and removes the directory, its ledger last.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::containers;
use super::inhabitants::inhabitants;
use super::ledger::{Entry, Ledger};
use super::site::StackDirError;

/// How long processes get to end as asked before they are killed.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How often we look whether they have.
const LOOK: Duration = Duration::from_millis(3);

/// How often a directory is emptied again that somebody still fills.
const TRIES: usize = 20;

/// Ends what a stack runs and removes its directory; says how many processes and containers still ran.
///
/// Blocking, and the same for an orderly stop, a drop and a sweep: nothing of
/// a throw-away stack is worth a graceful end.
pub(crate) fn teardown(directory: &Path, ledger: &Ledger) -> Result<usize, StackDirError> {
    let labelled = ledger.containers_of.as_deref();
    let contained = labelled.map_or(Ok(0), containers::remove);
    // The processes end even where Docker does not answer.
    let alive = end(directory, &ledger.processes)? + end(directory, &inhabitants(directory))?;
    let contained = contained?;
    remove(directory)?;
    Ok(alive + contained)
}

fn end(directory: &Path, processes: &[Entry]) -> Result<usize, StackDirError> {
    let alive: Vec<&Entry> = living(processes);
    for entry in &alive {
        // A paused process would not see anything short of a kill. Errors show as processes that stay.
        let _ = entry.mark.signal(entry.ending.signal());
        let _ = entry.mark.signal(Signal::CONT);
    }
    if !all_gone(processes, PATIENCE) {
        for entry in living(processes) {
            let _ = entry.mark.signal(Signal::KILL);
        }
        if !all_gone(processes, PATIENCE) {
            return Err(StackDirError::Undead {
                path: directory.to_owned(),
                names: names(&living(processes)),
            });
        }
    }
    Ok(alive.len())
}

fn living(processes: &[Entry]) -> Vec<&Entry> {
    processes
        .iter()
        .filter(|entry| entry.mark.is_alive())
        .collect()
}

fn all_gone(processes: &[Entry], within: Duration) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if living(processes).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(LOOK);
    }
}

fn names(entries: &[&Entry]) -> String {
    let names: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} (pid {})", entry.name, entry.mark.pid))
        .collect();
    names.join(", ")
}

/// Removes the directory, its ledger last: until then another sweep can finish the work.
pub(crate) fn remove(directory: &Path) -> Result<(), StackDirError> {
    let mut outcome = empty_and_remove(directory);
    for _ in 0..TRIES {
        // A dying process may still make a file in a directory that is being emptied.
        let again = outcome
            .as_ref()
            .map_or_else(is_being_filled, |()| directory.exists());
        if !again {
            break;
        }
        thread::sleep(LOOK);
        outcome = empty_and_remove(directory);
    }
    outcome.map_err(|source| StackDirError::Remove {
        path: directory.to_owned(),
        source,
    })
}

fn is_being_filled(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::DirectoryNotEmpty
}

fn empty_and_remove(directory: &Path) -> io::Result<()> {
    let emptied = || {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                gone(fs::remove_dir_all(entry.path()))?;
            }
        }
        fs::remove_dir_all(directory)
    };
    gone(emptied())
}

/// What another removed first is removed.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::inhabitants::STACK_VARIABLE;
    use crate::inhabitants::tests::wait_for_environment;
    use crate::site::StackDir;

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
    fn a_process_that_was_not_entered_yet_goes_with_its_stack() {
        let root = tempfile::tempdir().expect("a directory");
        let site = StackDir::create(root.path()).expect("a stack");
        let name = site.name();
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(site.directory())
            .env(STACK_VARIABLE, name)
            .spawn()
            .expect("sleep");
        wait_for_environment(&child);
        let ended = teardown(site.directory(), &site.ledger().snapshot()).expect("an end");
        assert_eq!(ended, 1);
        assert!(!site.directory().exists());
        child.wait().expect("wait");
    }
}
