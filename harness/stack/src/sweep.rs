//! Removes the stacks that nobody answers for any more.

use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::containers::{ContainerError, remove_orphans};
use super::demolition::{remove, teardown};
use super::ledger::{Ledger, Owner};
use super::mark::World;
use super::site::{StackDirError, stacks_under, unfinished_under};

/// A sweep that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The directory of stacks could not be listed.
    #[error("list the stacks under '{}'", root.display())]
    List {
        /// The directory.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Docker does not do as it is told.
    #[error(transparent)]
    Containers(#[from] ContainerError),
    /// The sweep was cut short.
    #[error("finish the sweep")]
    CutShort(#[from] tokio::task::JoinError),
}

/// Which stacks to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepScope {
    /// Those whose owner is gone or whose lease has ended.
    Abandoned,
    /// Those, and every leased one.
    Leased,
    /// All of them, in use or not.
    Everything,
}

/// What a sweep did.
#[derive(Debug, Default)]
pub struct SweepReport {
    /// The directories of the stacks that were removed.
    pub removed: Vec<PathBuf>,
    /// How many of their processes and containers were still alive.
    pub processes: usize,
    /// The stacks that could not be removed.
    pub failed: Vec<StackDirError>,
}

/// Removes stacks: kills the processes that their ledgers name, and no others.
///
/// # Errors
/// When the directory of stacks cannot be listed; a stack that cannot be removed is in the report.
pub async fn sweep(root: &Path, reach: SweepScope) -> Result<SweepReport, SweepError> {
    let root = root.to_owned();
    tokio::task::spawn_blocking(move || sweep_blocking(&root, reach)).await?
}

/// Removes the containers of stacks whose directory somebody removed without them; says how many ran.
///
/// # Errors
/// Where Docker is not there or does not do as it is told.
pub async fn sweep_containers(root: &Path) -> Result<usize, SweepError> {
    let root = root.to_owned();
    Ok(tokio::task::spawn_blocking(move || remove_orphans(&root)).await??)
}

fn sweep_blocking(root: &Path, reach: SweepScope) -> Result<SweepReport, SweepError> {
    let list = |source| SweepError::List {
        root: root.to_owned(),
        source,
    };
    let unfinished = unfinished_under(root).map_err(list)?;
    let stacks = stacks_under(root).map_err(list)?;
    let (here, now) = (World::here(), OffsetDateTime::now_utc());
    let mut report = SweepReport::default();
    for directory in unfinished {
        match remove(&directory) {
            Ok(()) => report.removed.push(directory),
            Err(error) => report.failed.push(error),
        }
    }
    for (directory, mut ledger) in stacks {
        match fate(&ledger, &here, now, reach) {
            Fate::Keep => continue,
            Fate::Remove => {}
            Fate::RemoveDirectory => ledger.processes.clear(),
        }
        match teardown(&directory, &ledger) {
            Ok(alive) => {
                report.processes += alive;
                report.removed.push(directory);
            }
            Err(error) => report.failed.push(error),
        }
    }
    Ok(report)
}

/// What becomes of a stack.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Remove,
    /// Its processes died with an earlier boot, and their pids are others' now.
    RemoveDirectory,
}

fn fate(ledger: &Ledger, here: &World, now: OffsetDateTime, reach: SweepScope) -> Fate {
    if ledger.world.boot != here.boot {
        return Fate::RemoveDirectory;
    }
    if ledger.world.namespace != here.namespace {
        // A container that shares this directory: its pids say nothing here.
        return Fate::Keep;
    }
    let in_use = match ledger.owner {
        Owner::Process(owner) => owner.is_alive() && reach != SweepScope::Everything,
        Owner::Lease { until } => until > now && reach == SweepScope::Abandoned,
    };
    if in_use { Fate::Keep } else { Fate::Remove }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::ledger::{Ending, Entry, LedgerFile};
    use crate::mark::ProcessIdentity;
    use crate::site::StackDir;

    fn dead() -> ProcessIdentity {
        ProcessIdentity {
            pid: u32::MAX / 2,
            started: Some(1),
        }
    }

    #[test]
    fn only_what_nobody_answers_for_is_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = LedgerFile::create(directory.path()).expect("a ledger");
        let here = World::here();
        let now = OffsetDateTime::now_utc();
        let later = Owner::Lease {
            until: now + time::Duration::minutes(1),
        };
        let ended = Owner::Lease {
            until: now - time::Duration::seconds(1),
        };
        let me = Owner::Process(ProcessIdentity::me());
        for (owner, reach, expected) in [
            (me, SweepScope::Abandoned, Fate::Keep),
            (me, SweepScope::Leased, Fate::Keep),
            (me, SweepScope::Everything, Fate::Remove),
            (Owner::Process(dead()), SweepScope::Abandoned, Fate::Remove),
            (later, SweepScope::Abandoned, Fate::Keep),
            (later, SweepScope::Leased, Fate::Remove),
            (ended, SweepScope::Abandoned, Fate::Remove),
        ] {
            file.hand_over(owner).expect("hand over");
            let found = fate(&file.snapshot(), &here, now, reach);
            assert_eq!(found, expected, "{owner:?} within {reach:?}");
        }
    }

    #[test]
    fn pids_of_another_boot_or_container_are_not_believed() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = LedgerFile::create(directory.path()).expect("a ledger");
        file.hand_over(Owner::Process(dead())).expect("hand over");
        let now = OffsetDateTime::now_utc();
        let mut ledger = file.snapshot();
        ledger.world.namespace = Some("pid:[1]".to_owned());
        assert_eq!(
            fate(&ledger, &World::here(), now, SweepScope::Everything),
            Fate::Keep
        );
        ledger.world.boot = Some("another".to_owned());
        assert_eq!(
            fate(&ledger, &World::here(), now, SweepScope::Abandoned),
            Fate::RemoveDirectory
        );
    }

    #[tokio::test]
    async fn an_abandoned_stack_goes_with_its_processes_and_nothing_else() {
        let root = tempfile::tempdir().expect("a directory");
        let foreign = root.path().join("cutover-without-a-ledger");
        std::fs::create_dir(&foreign).expect("a directory");
        let kept = StackDir::create(root.path()).expect("a stack");
        let abandoned = StackDir::create(root.path()).expect("a stack");
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let mut bystander = Command::new("sleep").arg("60").spawn().expect("sleep");
        let stranger = ProcessIdentity {
            started: Some(1),
            ..ProcessIdentity::of(bystander.id())
        };
        for (name, mark) in [
            ("api", ProcessIdentity::of(child.id())),
            ("worker-1", stranger),
        ] {
            let entry = Entry {
                name: name.to_owned(),
                mark,
                ending: Ending::Kill,
            };
            abandoned.ledger().enter(entry).expect("enter");
        }
        abandoned
            .hand_over(Owner::Process(dead()))
            .expect("hand over");

        let report = sweep(root.path(), SweepScope::Abandoned)
            .await
            .expect("a sweep");

        assert_eq!(report.removed, [abandoned.directory()]);
        assert_eq!(report.processes, 1);
        assert!(report.failed.is_empty());
        assert!(kept.directory().exists() && foreign.exists());
        assert!(ProcessIdentity::of(bystander.id()).is_alive());
        child.wait().expect("wait");
        bystander.kill().expect("kill");
        bystander.wait().expect("wait");
    }
}
