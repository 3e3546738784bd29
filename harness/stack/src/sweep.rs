//! Removes abandoned stacks.

use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::containers::{ContainerError, remove_orphans};
use super::process_identity::PidScope;
use super::stack_dir::{
    PREFIX, StackDirError, remove_directory, stacks_under, teardown, unfinished_under,
};
use super::state::{Owner, StackState};

/// A sweep that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The root directory could not be listed.
    #[error("list the stacks under '{}'", root.display())]
    List {
        /// The directory.
        root: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A Docker request failed.
    #[error(transparent)]
    Containers(#[from] ContainerError),
    /// The sweep was interrupted.
    #[error("finish the sweep")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Which stacks to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepScope {
    /// Stacks whose owner has exited or whose lease has expired.
    Abandoned,
    /// Abandoned stacks, and every leased stack.
    Leased,
    /// All stacks, in use or not.
    Everything,
}

/// The result of a sweep.
#[derive(Debug, Default)]
pub struct SweepReport {
    /// The directories of the stacks that were removed.
    pub removed: Vec<PathBuf>,
    /// How many of their processes and containers were still running.
    pub processes: usize,
    /// The stacks that could not be removed.
    pub failed: Vec<StackDirError>,
}

/// Removes stacks, and kills only the processes that belong to them.
///
/// # Errors
/// If the root directory cannot be listed. A stack that cannot be removed is in the report.
pub async fn sweep(root: &Path, scope: SweepScope) -> Result<SweepReport, SweepError> {
    let root = root.to_owned();
    tokio::task::spawn_blocking(move || sweep_blocking(&root, scope)).await?
}

/// Removes the containers of stacks whose directory no longer exists; returns how many were running.
///
/// # Errors
/// If a Docker request fails.
pub async fn sweep_containers(root: &Path) -> Result<usize, SweepError> {
    let root = root.to_owned();
    Ok(tokio::task::spawn_blocking(move || remove_orphans(&root, PREFIX)).await??)
}

fn sweep_blocking(root: &Path, scope: SweepScope) -> Result<SweepReport, SweepError> {
    let list = |source| SweepError::List {
        root: root.to_owned(),
        source,
    };
    let unfinished = unfinished_under(root).map_err(list)?;
    let stacks = stacks_under(root).map_err(list)?;
    let (pid_scope, now) = (PidScope::current(), OffsetDateTime::now_utc());
    let mut report = SweepReport::default();
    for directory in unfinished {
        match remove_directory(&directory) {
            Ok(()) => report.removed.push(directory),
            Err(error) => report.failed.push(error),
        }
    }
    for (directory, mut state) in stacks {
        match decide(&state, &pid_scope, now, scope) {
            SweepDecision::Keep => continue,
            SweepDecision::Remove => {}
            SweepDecision::RemoveDirectory => state.processes.clear(),
        }
        match teardown(&directory, &state) {
            Ok(running) => {
                report.processes += running;
                report.removed.push(directory);
            }
            Err(error) => report.failed.push(error),
        }
    }
    Ok(report)
}

/// Whether a sweep removes a stack.
#[derive(Debug, PartialEq, Eq)]
enum SweepDecision {
    Keep,
    Remove,
    /// Its processes ended with an earlier boot; their PIDs may belong to other processes now.
    RemoveDirectory,
}

fn decide(
    state: &StackState,
    pid_scope: &PidScope,
    now: OffsetDateTime,
    scope: SweepScope,
) -> SweepDecision {
    if state.pid_scope.boot != pid_scope.boot {
        return SweepDecision::RemoveDirectory;
    }
    if state.pid_scope.namespace != pid_scope.namespace {
        // Another container shares this directory: its PIDs are not valid here.
        return SweepDecision::Keep;
    }
    let in_use = match state.owner {
        Owner::Process(owner) => owner.is_alive() && scope != SweepScope::Everything,
        Owner::Lease { until } => until > now && scope == SweepScope::Abandoned,
    };
    if in_use {
        SweepDecision::Keep
    } else {
        SweepDecision::Remove
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::process_identity::ProcessIdentity;
    use crate::stack_dir::StackDir;
    use crate::state::{KillSignal, ProcessEntry, StateFile};

    fn dead() -> ProcessIdentity {
        ProcessIdentity {
            pid: u32::MAX / 2,
            started: Some(1),
        }
    }

    #[test]
    fn a_stack_in_use_is_kept_unless_the_scope_includes_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = StateFile::create(directory.path()).expect("a state file");
        let pid_scope = PidScope::current();
        let now = OffsetDateTime::now_utc();
        let leased = Owner::Lease {
            until: now + time::Duration::minutes(1),
        };
        let expired = Owner::Lease {
            until: now - time::Duration::seconds(1),
        };
        let alive = Owner::Process(ProcessIdentity::current());
        let exited = Owner::Process(dead());
        for (owner, scope, expected) in [
            (alive, SweepScope::Abandoned, SweepDecision::Keep),
            (alive, SweepScope::Leased, SweepDecision::Keep),
            (alive, SweepScope::Everything, SweepDecision::Remove),
            (exited, SweepScope::Abandoned, SweepDecision::Remove),
            (leased, SweepScope::Abandoned, SweepDecision::Keep),
            (leased, SweepScope::Leased, SweepDecision::Remove),
            (expired, SweepScope::Abandoned, SweepDecision::Remove),
        ] {
            file.transfer_ownership(owner).expect("a new owner");
            let decision = decide(&file.snapshot(), &pid_scope, now, scope);
            assert_eq!(decision, expected, "{owner:?} in scope {scope:?}");
        }
    }

    #[test]
    fn pids_of_another_boot_or_namespace_are_not_used() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = StateFile::create(directory.path()).expect("a state file");
        file.transfer_ownership(Owner::Process(dead()))
            .expect("a new owner");
        let now = OffsetDateTime::now_utc();
        let mut state = file.snapshot();
        state.pid_scope.namespace = Some("pid:[1]".to_owned());
        assert_eq!(
            decide(&state, &PidScope::current(), now, SweepScope::Everything),
            SweepDecision::Keep
        );
        state.pid_scope.boot = Some("another".to_owned());
        assert_eq!(
            decide(&state, &PidScope::current(), now, SweepScope::Abandoned),
            SweepDecision::RemoveDirectory
        );
    }

    #[tokio::test]
    async fn a_sweep_removes_an_abandoned_stack_with_its_processes_and_nothing_else() {
        let root = tempfile::tempdir().expect("a directory");
        let foreign = root.path().join("cutover-without-a-state-file");
        std::fs::create_dir(&foreign).expect("a directory");
        let kept = StackDir::create(root.path()).expect("a stack");
        let abandoned = StackDir::create(root.path()).expect("a stack");
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let mut bystander = Command::new("sleep").arg("60").spawn().expect("sleep");
        let reused_pid = ProcessIdentity {
            started: Some(1),
            ..ProcessIdentity::from_pid(bystander.id())
        };
        for (name, identity) in [
            ("api", ProcessIdentity::from_pid(child.id())),
            ("worker-1", reused_pid),
        ] {
            let entry = ProcessEntry {
                name: name.to_owned(),
                identity,
                kill_signal: KillSignal::Kill,
            };
            abandoned.state().register(entry).expect("register");
        }
        abandoned
            .transfer_ownership(Owner::Process(dead()))
            .expect("a new owner");

        let report = sweep(root.path(), SweepScope::Abandoned)
            .await
            .expect("a sweep");

        assert_eq!(report.removed, [abandoned.directory()]);
        assert_eq!(report.processes, 1);
        assert!(report.failed.is_empty());
        assert!(kept.directory().exists() && foreign.exists());
        assert!(ProcessIdentity::from_pid(bystander.id()).is_alive());
        child.wait().expect("wait");
        bystander.kill().expect("kill");
        bystander.wait().expect("wait");
    }
}
