//! The directory of a stack, created before its first process and removed after its last.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use super::error::StackDirError;
use super::teardown::teardown;
use crate::containers::{self, CreationLock};
use crate::process_identity::{PidScope, ProcessIdentity};
use crate::state::{Owner, StackState, StateFile};

/// The prefix of the name of every stack's directory.
pub(crate) const PREFIX: &str = "cutover-";

/// The directory of a running stack; dropping it stops the processes and removes it.
#[derive(Debug)]
pub struct StackDir {
    id: String,
    directory: PathBuf,
    state: StateFile,
    creation_lock: CreationLock,
    /// Whether dropping this value still removes the stack.
    owned: Mutex<bool>,
}

impl StackDir {
    /// Creates the directory of a new stack and its state file.
    pub fn create(root: &Path) -> Result<Self, StackDirError> {
        let id = hex::encode(rand::random::<[u8; 5]>());
        let directory = root.join(format!("{PREFIX}{id}"));
        // Until the state file exists, the name of the directory identifies its creator:
        // if the creator is killed, a sweep can still tell that the directory is abandoned.
        let draft = root.join(format!("{PREFIX}{id}.{}", Creator::current().suffix()));
        let create = |path: &Path, mode| {
            let created = DirBuilder::new().mode(mode).create(path);
            created.map_err(|source| StackDirError::Create {
                path: path.to_owned(),
                source,
            })
        };
        // Other users may traverse it but not list it: under root, PostgreSQL runs as another user.
        create(&draft, 0o711)?;
        let state = StateFile::create(&draft)?;
        fs::rename(&draft, &directory).map_err(|source| StackDirError::Create {
            path: directory.clone(),
            source,
        })?;
        let stack_dir = Self {
            state: state.moved_to(&directory),
            creation_lock: CreationLock::default(),
            owned: Mutex::new(true),
            id,
            directory,
        };
        for name in ["logs", "storage"] {
            create(&stack_dir.directory.join(name), 0o700)?;
        }
        Ok(stack_dir)
    }

    /// The unique id of this stack.
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

    /// The directory of the storage stand-in's objects.
    pub fn storage(&self) -> PathBuf {
        self.directory.join("storage")
    }

    /// The stack's state file.
    pub(crate) fn state(&self) -> &StateFile {
        &self.state
    }

    /// The lock that is held during a creation in Docker.
    pub(crate) fn creation_lock(&self) -> &CreationLock {
        &self.creation_lock
    }

    /// Creates the empty log of a service.
    pub(crate) fn create_log(&self, name: &str) -> Result<PathBuf, StackDirError> {
        let path = self.directory.join("logs").join(format!("{name}.log"));
        let created = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path);
        match created {
            Ok(_) => Ok(path),
            Err(source) => Err(StackDirError::Create { path, source }),
        }
    }

    /// Transfers the stack to a new owner and leaves it running.
    pub(crate) fn transfer_ownership(&self, owner: Owner) -> Result<(), StackDirError> {
        self.state.transfer_ownership(owner)?;
        *self.owned.lock().unwrap_or_else(PoisonError::into_inner) = false;
        Ok(())
    }

    /// Stops the processes and removes the directory; does nothing the second time.
    pub(crate) fn teardown(&self) -> Result<(), StackDirError> {
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *owned) {
            let state = self.state.snapshot();
            if state.container_label.is_some() {
                containers::wait_for_pending(&self.creation_lock)?;
            }
            teardown(&self.directory, &state)?;
        }
        Ok(())
    }
}

impl Drop for StackDir {
    fn drop(&mut self) {
        if let Err(error) = self.teardown() {
            tracing::warn!(%error, "a stack was not removed completely; run `cutover sweep`");
        }
    }
}

/// The process that creates a directory, as the directory's name identifies it until the state file exists.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Creator {
    identity: ProcessIdentity,
    namespace: Option<String>,
}

impl Creator {
    fn current() -> Self {
        Self {
            identity: ProcessIdentity::current(),
            namespace: PidScope::current().namespace,
        }
    }

    /// The suffix of the directory's name: PID, start time and the number of the PID namespace.
    fn suffix(&self) -> String {
        let number = |namespace: &str| namespace.chars().filter(char::is_ascii_digit).collect();
        let namespace: String = self.namespace.as_deref().map(number).unwrap_or_default();
        let started = self.identity.started.unwrap_or_default();
        format!("{}-{started}-{namespace}", self.identity.pid)
    }

    /// Whether a suffix names a process of this PID namespace that has exited.
    fn has_exited(suffix: &str) -> bool {
        let mut parts = suffix.split('-');
        let mut numbers = || Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?));
        let Some((pid, started)) = numbers() else {
            return false;
        };
        let creator = Self {
            identity: ProcessIdentity {
                pid,
                started: (started != 0).then_some(started),
            },
            ..Self::current()
        };
        creator.suffix() == suffix && !creator.identity.is_alive()
    }
}

/// The stacks under a root that belong to this user, with their states.
///
/// A state file names processes to kill, so the files of other users are ignored.
pub(crate) fn stacks_under(root: &Path) -> io::Result<Vec<(PathBuf, StackState)>> {
    let states = owned_under(root)?.into_iter().filter_map(|path| {
        let state = StackState::read(&path).ok()?;
        Some((path, state))
    });
    Ok(states
        .filter(|(path, _)| creator_of(path).is_none())
        .collect())
}

/// The directories whose creators exited before they gave them their final name.
pub(crate) fn unfinished_under(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut owned = owned_under(root)?;
    owned.retain(|path| creator_of(path).is_some_and(Creator::has_exited));
    Ok(owned)
}

/// The suffix that identifies the creator of an unfinished directory.
fn creator_of(path: &Path) -> Option<&str> {
    Some(path.file_name()?.to_str()?.split_once('.')?.1)
}

fn owned_under(root: &Path) -> io::Result<Vec<PathBuf>> {
    use std::os::unix::fs::MetadataExt as _;

    let uid = rustix::process::geteuid().as_raw();
    let owned = fs::read_dir(root)?.flatten().filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid)
    });
    Ok(owned.map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creator_has_exited_only_if_its_pid_belongs_to_this_namespace() {
        let current = Creator::current();
        assert!(!Creator::has_exited(&current.suffix()));
        let dead = ProcessIdentity {
            pid: u32::MAX / 2,
            started: Some(1),
        };
        let exited = Creator {
            identity: dead,
            ..current
        };
        assert!(Creator::has_exited(&exited.suffix()));
        let elsewhere = Creator {
            namespace: Some("pid:[1]".to_owned()),
            ..exited
        };
        assert!(!Creator::has_exited(&elsewhere.suffix()));
        assert!(!Creator::has_exited("backup") && !Creator::has_exited(""));
    }

    #[test]
    fn a_draft_directory_is_unfinished_once_its_creator_has_exited() {
        let root = tempfile::tempdir().expect("a directory");
        let stack_dir = StackDir::create(root.path()).expect("a stack");
        let unfinished = format!("{PREFIX}0123456789.{}-1-", u32::MAX / 2);
        let current = Creator::current().suffix();
        let namespace = current.rsplit_once('-').expect("a namespace").1;
        let unfinished = root.path().join(unfinished + namespace);
        fs::create_dir(&unfinished).expect("a directory");
        let draft = root.path().join(format!("{PREFIX}9876543210.{current}"));
        fs::create_dir(draft).expect("a directory");
        assert_eq!(unfinished_under(root.path()).expect("a list"), [unfinished]);
        let stacks = stacks_under(root.path()).expect("a list");
        let stacks: Vec<_> = stacks.iter().map(|(path, _)| path.as_path()).collect();
        assert_eq!(stacks, [stack_dir.directory()]);
    }
}
