//! The directory of a stack: made before its first process, gone after its last.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use super::containers::{self, ContainerError, Making};
use super::demolition::teardown;
use super::ledger::{Ledger, LedgerError, LedgerFile, Owner};
use super::mark::{ProcessIdentity, World};

/// What the name of every stack's directory begins with.
pub(crate) const PREFIX: &str = "cutover-";

/// A stack's directory that could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum StackDirError {
    /// The directory could not be made.
    #[error("make the stack's directory '{}'", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory could not be removed.
    #[error("remove the stack's directory '{}'", path.display())]
    Remove {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Processes of the stack are still there after they were killed.
    #[error("end the processes of '{}': still there: {names}", path.display())]
    Undead {
        /// The stack's directory.
        path: PathBuf,
        /// Their names and pids.
        names: String,
    },
    /// What Docker has of the stack could not be removed.
    #[error(transparent)]
    Containers(#[from] ContainerError),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The directory of a living stack; dropping it ends the processes and removes it.
#[derive(Debug)]
pub struct StackDir {
    id: String,
    directory: PathBuf,
    ledger: LedgerFile,
    making: Making,
    /// Whether this value still answers for what is in the directory.
    ours: Mutex<bool>,
}

impl StackDir {
    /// Makes the directory of a new stack and its ledger.
    pub fn create(root: &Path) -> Result<Self, StackDirError> {
        let id = hex::encode(rand::random::<[u8; 5]>());
        let directory = root.join(format!("{PREFIX}{id}"));
        // Until its ledger is in it, the directory's name says who makes it: one that was
        // killed meanwhile leaves nothing that a sweep could not attribute.
        let draft = root.join(format!("{PREFIX}{id}.{}", Maker::me().tag()));
        let make = |path: &Path, mode| {
            let made = DirBuilder::new().mode(mode).create(path);
            made.map_err(|source| StackDirError::Make {
                path: path.to_owned(),
                source,
            })
        };
        // Others may pass through, for PostgreSQL runs as another user where we are root, but not look.
        make(&draft, 0o711)?;
        let ledger = LedgerFile::create(&draft)?;
        fs::rename(&draft, &directory).map_err(|source| StackDirError::Make {
            path: directory.clone(),
            source,
        })?;
        let site = Self {
            ledger: ledger.moved_to(&directory),
            making: Making::default(),
            ours: Mutex::new(true),
            id,
            directory,
        };
        for part in ["logs", "storage"] {
            make(&site.directory.join(part), 0o700)?;
        }
        Ok(site)
    }

    /// What tells this stack from others.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The name of the stack's directory.
    pub(crate) fn name(&self) -> &OsStr {
        self.directory.file_name().unwrap_or_default()
    }

    /// The stack's directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the stack's objects are kept.
    pub fn storage(&self) -> PathBuf {
        self.directory.join("storage")
    }

    /// The stack's ledger.
    pub(crate) fn ledger(&self) -> &LedgerFile {
        &self.ledger
    }

    /// What is being made in Docker.
    pub(crate) fn making(&self) -> &Making {
        &self.making
    }

    /// Makes the empty log of a process.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf, StackDirError> {
        let path = self.directory.join("logs").join(format!("{name}.log"));
        let made = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(_) => Ok(path),
            Err(source) => Err(StackDirError::Make { path, source }),
        }
    }

    /// Leaves the stack running for others, until `owner` no longer answers for it.
    pub(crate) fn hand_over(&self, owner: Owner) -> Result<(), StackDirError> {
        self.ledger.hand_over(owner)?;
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = false;
        Ok(())
    }

    /// Ends the processes and removes the directory, once.
    pub(crate) fn teardown(&self) -> Result<(), StackDirError> {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *ours) {
            let ledger = self.ledger.snapshot();
            if ledger.containers_of.is_some() {
                containers::settle(&self.making)?;
            }
            teardown(&self.directory, &ledger)?;
        }
        Ok(())
    }
}

impl Drop for StackDir {
    fn drop(&mut self) {
        if let Err(error) = self.teardown() {
            tracing::warn!(%error, "a stack was not removed completely; `cutover sweep` will");
        }
    }
}

/// Who makes a directory, before it has a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Maker {
    mark: ProcessIdentity,
    namespace: Option<String>,
}

impl Maker {
    fn me() -> Self {
        Self {
            mark: ProcessIdentity::me(),
            namespace: World::here().namespace,
        }
    }

    /// What can be part of a file's name: pid, start and the number of the pid namespace.
    fn tag(&self) -> String {
        let number = |namespace: &str| namespace.chars().filter(char::is_ascii_digit).collect();
        let namespace: String = self.namespace.as_deref().map(number).unwrap_or_default();
        let started = self.mark.started.unwrap_or_default();
        format!("{}-{started}-{namespace}", self.mark.pid)
    }

    /// Whether the maker that a tag names is of this pid namespace, and gone.
    fn is_gone(tag: &str) -> bool {
        let mut parts = tag.split('-');
        let mut numbers = || Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?));
        let Some((pid, started)) = numbers() else {
            return false;
        };
        let maker = Self {
            mark: ProcessIdentity {
                pid,
                started: (started != 0).then_some(started),
            },
            ..Self::me()
        };
        maker.tag() == tag && !maker.mark.is_alive()
    }
}

/// The stacks under a root that belong to this user, with their ledgers.
///
/// A ledger names processes to kill: one that somebody else wrote is not read.
pub(crate) fn stacks_under(root: &Path) -> io::Result<Vec<(PathBuf, Ledger)>> {
    let ledgers = ours_under(root)?.into_iter().filter_map(|path| {
        let ledger = Ledger::read(&path).ok()?;
        Some((path, ledger))
    });
    Ok(ledgers
        .filter(|(path, _)| maker_of(path).is_none())
        .collect())
}

/// The directories whose makers died before there was a ledger in them, or right after.
pub(crate) fn unfinished_under(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut ours = ours_under(root)?;
    ours.retain(|path| maker_of(path).is_some_and(Maker::is_gone));
    Ok(ours)
}

/// What the name of a directory without a ledger says about its maker.
fn maker_of(path: &Path) -> Option<&str> {
    Some(path.file_name()?.to_str()?.split_once('.')?.1)
}

fn ours_under(root: &Path) -> io::Result<Vec<PathBuf>> {
    use std::os::unix::fs::MetadataExt as _;

    let me = rustix::process::geteuid().as_raw();
    let ours = fs::read_dir(root)?.flatten().filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == me)
    });
    Ok(ours.map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_gone_only_where_its_pid_means_something() {
        let me = Maker::me();
        assert!(!Maker::is_gone(&me.tag()));
        let dead = ProcessIdentity {
            pid: u32::MAX / 2,
            started: Some(1),
        };
        let gone = Maker { mark: dead, ..me };
        assert!(Maker::is_gone(&gone.tag()));
        let elsewhere = Maker {
            namespace: Some("pid:[1]".to_owned()),
            ..gone
        };
        assert!(!Maker::is_gone(&elsewhere.tag()));
        assert!(!Maker::is_gone("backup") && !Maker::is_gone(""));
    }

    #[test]
    fn a_directory_without_a_ledger_is_unfinished_once_its_maker_is_gone() {
        let root = tempfile::tempdir().expect("a directory");
        let site = StackDir::create(root.path()).expect("a stack");
        let gone = format!("{PREFIX}0123456789.{}-1-", u32::MAX / 2);
        let me = Maker::me().tag();
        let namespace = me.rsplit_once('-').expect("a namespace").1;
        let gone = root.path().join(gone + namespace);
        fs::create_dir(&gone).expect("a directory");
        fs::create_dir(root.path().join(format!("{PREFIX}9876543210.{me}"))).expect("a directory");
        assert_eq!(unfinished_under(root.path()).expect("a list"), [gone]);
        let stacks = stacks_under(root.path()).expect("a list");
        let stacks: Vec<_> = stacks.iter().map(|(path, _)| path.as_path()).collect();
        assert_eq!(stacks, [site.directory()]);
    }
}
