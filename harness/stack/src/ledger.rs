//! What a stack consists of, on disk before it exists: whoever finds the ledger can remove the stack.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::mark::{ProcessIdentity, World};

/// The name of the ledger in a stack's directory.
const FILE: &str = "ledger.json";

/// The version of the ledger's format; a ledger of another version is left alone.
const VERSION: u32 = 1;

/// A ledger that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be read.
    #[error("read the ledger '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a ledger.
    #[error("understand the ledger '{}'", path.display())]
    Understand {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file has a format that this version does not know.
    #[error("understand the ledger '{}': its version is {found}, not {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
    /// The file could not be written.
    #[error("write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Who answers for a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owner {
    /// The process that started it: the stack is garbage when that process is gone.
    Process(ProcessIdentity),
    /// Nobody, until this time: the stack is garbage after it.
    Lease {
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
}

/// How a process is ended when its state no longer matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// At once.
    Kill,
    /// PostgreSQL's immediate shutdown: as abrupt as a crash for those who are
    /// connected, but its own children and its shared memory go with it.
    Quit,
}

impl Ending {
    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Kill => Signal::KILL,
            Self::Quit => Signal::QUIT,
        }
    }
}

/// A process of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) mark: ProcessIdentity,
    pub(crate) ending: Ending,
}

/// A stack's owner and processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    v: u32,
    pub(crate) world: World,
    pub(crate) owner: Owner,
    pub(crate) processes: Vec<Entry>,
    /// The stack that containers, networks and volumes are labelled with, where there may be such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) containers_of: Option<String>,
}

impl Ledger {
    fn of_this_process() -> Self {
        Self {
            v: VERSION,
            world: World::here(),
            owner: Owner::Process(ProcessIdentity::me()),
            processes: Vec::new(),
            containers_of: None,
        }
    }

    /// Reads the ledger of a stack's directory.
    pub(crate) fn read(directory: &Path) -> Result<Self, LedgerError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(ledger) if ledger.v == VERSION => Ok(ledger),
            Ok(ledger) => Err(LedgerError::Version {
                path,
                found: ledger.v,
            }),
            Err(source) => Err(LedgerError::Understand { path, source }),
        }
    }
}

/// The ledger of a living stack: what is in memory is on disk.
#[derive(Debug)]
pub(crate) struct LedgerFile {
    path: PathBuf,
    ledger: Mutex<Ledger>,
}

impl LedgerFile {
    /// Makes the ledger of a new stack, owned by this process.
    pub(crate) fn create(directory: &Path) -> Result<Self, LedgerError> {
        let file = Self {
            path: directory.join(FILE),
            ledger: Mutex::new(Ledger::of_this_process()),
        };
        file.change(|_| {})?;
        Ok(file)
    }

    /// The same ledger in a directory that was given another name.
    pub(crate) fn moved_to(mut self, directory: &Path) -> Self {
        self.path = directory.join(FILE);
        self
    }

    /// What the ledger says now.
    pub(crate) fn snapshot(&self) -> Ledger {
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Enters a process, in the place of the dead ones of its name.
    pub(crate) fn enter(&self, entry: Entry) -> Result<(), LedgerError> {
        self.change(|ledger| {
            ledger
                .processes
                .retain(|known| known.name != entry.name || known.mark.is_alive());
            ledger.processes.push(entry);
        })
    }

    /// Notes that there may be containers with the label of this stack.
    pub(crate) fn expect_containers(&self, stack: &str) -> Result<(), LedgerError> {
        self.change(|ledger| ledger.containers_of = Some(stack.to_owned()))
    }

    /// Changes who answers for the stack.
    pub(crate) fn hand_over(&self, owner: Owner) -> Result<(), LedgerError> {
        self.change(|ledger| ledger.owner = owner)
    }

    fn change(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), LedgerError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut ledger);
        write_private(&self.path, &*ledger)
    }
}

/// Writes a JSON file that its owner alone can read, whole or not at all.
pub(crate) fn write_private(path: &Path, value: &impl Serialize) -> Result<(), LedgerError> {
    let write = || {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| LedgerError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn entry(name: &str, pid: u32) -> Entry {
        Entry {
            name: name.to_owned(),
            mark: ProcessIdentity {
                pid,
                started: Some(0),
            },
            ending: Ending::Kill,
        }
    }

    #[test]
    fn what_is_entered_is_on_disk_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = LedgerFile::create(directory.path()).expect("a ledger");
        file.enter(entry("api", 1)).expect("enter");
        let read = Ledger::read(directory.path()).expect("a ledger");
        assert_eq!(read, file.snapshot());
        assert_eq!(read.owner, Owner::Process(ProcessIdentity::me()));
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
    fn a_restarted_process_replaces_the_dead_one_of_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = LedgerFile::create(directory.path()).expect("a ledger");
        for (name, pid) in [("api", 1), ("worker-1", 2), ("api", 3)] {
            file.enter(entry(name, pid)).expect("enter");
        }
        let names: Vec<_> = file
            .snapshot()
            .processes
            .into_iter()
            .map(|entry| (entry.name, entry.mark.pid))
            .collect();
        assert_eq!(names, [("worker-1".to_owned(), 2), ("api".to_owned(), 3)]);
    }

    #[test]
    fn a_ledger_of_another_version_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        LedgerFile::create(directory.path()).expect("a ledger");
        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replace("\"v\": 1", "\"v\": 2")).expect("write");
        assert!(matches!(
            Ledger::read(directory.path()),
            Err(LedgerError::Version { found: 2, .. })
        ));
    }
}
