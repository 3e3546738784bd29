//! The state file of a stack: its owner and processes, from which another process can remove it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::process_identity::{PidScope, ProcessIdentity};

/// The name of the state file in a stack's directory.
const FILE: &str = "state.json";

/// The version of the file format; a file of another version is left alone.
const VERSION: u32 = 1;

/// A state file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file could not be read.
    #[error("read the state file '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not valid.
    #[error("parse the state file '{}'", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The file has an unsupported format version.
    #[error("parse the state file '{}': its version is {found}, not {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file could not be written.
    #[error("write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The owner of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owner {
    /// The process that started it; the stack is abandoned once that process has exited.
    Process(ProcessIdentity),
    /// No process; the stack is abandoned after this time.
    Lease {
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
}

/// The signal that ends a process whose data is no longer needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KillSignal {
    /// SIGKILL.
    Kill,
    /// SIGQUIT, PostgreSQL's immediate shutdown: for clients it is as abrupt as a
    /// crash, but it also ends PostgreSQL's children and frees its shared memory.
    Quit,
}

impl KillSignal {
    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Kill => Signal::KILL,
            Self::Quit => Signal::QUIT,
        }
    }
}

/// A process of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessEntry {
    pub(crate) name: String,
    pub(crate) identity: ProcessIdentity,
    pub(crate) kill_signal: KillSignal,
}

/// The owner and the processes of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackState {
    v: u32,
    pub(crate) pid_scope: PidScope,
    pub(crate) owner: Owner,
    pub(crate) processes: Vec<ProcessEntry>,
    /// The id on the labels of the stack's containers, networks and volumes; set before the first is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container_label: Option<String>,
}

impl StackState {
    fn owned_by_this_process() -> Self {
        Self {
            v: VERSION,
            pid_scope: PidScope::current(),
            owner: Owner::Process(ProcessIdentity::current()),
            processes: Vec::new(),
            container_label: None,
        }
    }

    /// Reads the state file in a stack's directory.
    pub(crate) fn read(directory: &Path) -> Result<Self, StateError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(StateError::Read { path, source }),
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(state) if state.v == VERSION => Ok(state),
            Ok(state) => Err(StateError::Version {
                path,
                found: state.v,
            }),
            Err(source) => Err(StateError::Parse { path, source }),
        }
    }
}

/// The state of a running stack; every change is written to disk at once.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    state: Mutex<StackState>,
}

impl StateFile {
    /// Creates the state file of a new stack that this process owns.
    pub(crate) fn create(directory: &Path) -> Result<Self, StateError> {
        let file = Self {
            path: directory.join(FILE),
            state: Mutex::new(StackState::owned_by_this_process()),
        };
        file.change(|_| {})?;
        Ok(file)
    }

    /// The same file after its directory was renamed.
    pub(crate) fn moved_to(mut self, directory: &Path) -> Self {
        self.path = directory.join(FILE);
        self
    }

    /// A copy of the current state.
    pub(crate) fn snapshot(&self) -> StackState {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds a process and removes exited processes of the same name.
    pub(crate) fn register(&self, entry: ProcessEntry) -> Result<(), StateError> {
        self.change(|state| {
            state
                .processes
                .retain(|known| known.name != entry.name || known.identity.is_alive());
            state.processes.push(entry);
        })
    }

    /// Records that containers with the label of this stack may exist.
    pub(crate) fn expect_containers(&self, stack: &str) -> Result<(), StateError> {
        self.change(|state| state.container_label = Some(stack.to_owned()))
    }

    /// Changes the owner of the stack.
    pub(crate) fn transfer_ownership(&self, owner: Owner) -> Result<(), StateError> {
        self.change(|state| state.owner = owner)
    }

    fn change(&self, change: impl FnOnce(&mut StackState)) -> Result<(), StateError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        write_private(&self.path, &*state)
    }
}

/// Writes a JSON file atomically, readable only by its owner.
pub(crate) fn write_private(path: &Path, value: &impl Serialize) -> Result<(), StateError> {
    let write = || {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| StateError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn entry(name: &str, pid: u32) -> ProcessEntry {
        ProcessEntry {
            name: name.to_owned(),
            identity: ProcessIdentity {
                pid,
                started: Some(0),
            },
            kill_signal: KillSignal::Kill,
        }
    }

    #[test]
    fn a_registered_process_is_on_disk_in_a_private_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = StateFile::create(directory.path()).expect("a state file");
        file.register(entry("api", 1)).expect("register");
        let read = StackState::read(directory.path()).expect("a state");
        assert_eq!(read, file.snapshot());
        assert_eq!(read.owner, Owner::Process(ProcessIdentity::current()));
        let mode = directory
            .path()
            .join(FILE)
            .metadata()
            .expect("metadata")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_restarted_process_replaces_the_exited_one_of_the_same_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = StateFile::create(directory.path()).expect("a state file");
        for (name, pid) in [("api", 1), ("worker-1", 2), ("api", 3)] {
            file.register(entry(name, pid)).expect("register");
        }
        let names: Vec<_> = file
            .snapshot()
            .processes
            .into_iter()
            .map(|entry| (entry.name, entry.identity.pid))
            .collect();
        assert_eq!(names, [("worker-1".to_owned(), 2), ("api".to_owned(), 3)]);
    }

    #[test]
    fn a_state_file_of_another_version_is_rejected() {
        let directory = tempfile::tempdir().expect("a directory");
        StateFile::create(directory.path()).expect("a state file");
        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replace("\"v\": 1", "\"v\": 2")).expect("write");
        assert!(matches!(
            StackState::read(directory.path()),
            Err(StateError::Version { found: 2, .. })
        ));
    }
}
