//! The processes that live in a stack's directory, whether or not its ledger names them.
//!
//! A run that is killed between the start of a process and its entry in the
//! ledger leaves one that nobody has heard of. Every process of a stack starts
//! in the stack's directory and carries its name in the environment; a shell
//! that somebody opened there carries none and is let alone.

use std::fs;
use std::path::Path;

use super::ledger::{Ending, Entry};
use super::mark::ProcessIdentity;

/// The variable that tells a process of which stack it is.
pub(crate) const STACK_VARIABLE: &str = "CUTOVER_STACK";

/// PostgreSQL writes its title over its environment, but nobody else's runs in a stack's directory.
const POSTGRES: &str = "postgres";

/// The living processes of a stack; none where there is no `/proc`.
pub(crate) fn inhabitants(directory: &Path) -> Vec<Entry> {
    let (Ok(home), Ok(processes)) = (directory.canonicalize(), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| inhabitant(pid, &home))
        .filter(|entry| entry.mark.is_alive())
        .collect()
}

fn inhabitant(pid: u32, home: &Path) -> Option<Entry> {
    // Before anything else is read: a pid that is taken over meanwhile is another mark.
    let mark = ProcessIdentity::of(pid);
    let about = |what| format!("/proc/{pid}/{what}");
    let inside = fs::read_link(about("cwd")).ok()?.starts_with(home);
    if !inside || pid == std::process::id() {
        return None;
    }
    let program = fs::read_link(about("exe")).ok()?;
    let name = program.file_name()?.to_string_lossy().into_owned();
    let ending = if name == POSTGRES {
        Ending::Quit
    } else if carries_name_of(&fs::read(about("environ")).ok()?, home) {
        Ending::Kill
    } else {
        return None;
    };
    Some(Entry { name, mark, ending })
}

fn carries_name_of(environment: &[u8], home: &Path) -> bool {
    let name = home.file_name().unwrap_or_default().as_encoded_bytes();
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
    fn only_processes_that_carry_the_name_of_the_stack_they_live_in_are_its_own() {
        let root = tempfile::tempdir().expect("a directory");
        let home = root.path().join("cutover-0123456789");
        fs::create_dir(&home).expect("a directory");
        let mut all = [
            sleeper(&home, Some("cutover-0123456789")),
            sleeper(&home, Some("cutover-9876543210")),
            sleeper(&home, None),
            sleeper(root.path(), Some("cutover-0123456789")),
        ];
        let found: Vec<u32> = inhabitants(&home)
            .iter()
            .map(|entry| entry.mark.pid)
            .collect();
        let expected = if ProcessIdentity::me().started.is_some() {
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
