//! The directory of a stack: made before its first process, gone after its last.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::containers::{self, ContainerError, Making};
use super::ledger::{Entry, Ledger, LedgerError, LedgerFile, Owner};

/// What the name of every stack's directory begins with.
pub(crate) const PREFIX: &str = "cutover-";

/// How long processes get to end as asked before they are killed.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How often we look whether they have.
const LOOK: Duration = Duration::from_millis(3);

/// A stack's directory that could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
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
pub struct Site {
    id: String,
    directory: PathBuf,
    ledger: LedgerFile,
    making: Making,
    /// Whether this value still answers for what is in the directory.
    ours: Mutex<bool>,
}

impl Site {
    /// Makes the directory of a new stack and its ledger.
    pub fn create(root: &Path) -> Result<Self, SiteError> {
        let id = hex::encode(rand::random::<[u8; 5]>());
        let directory = root.join(format!("{PREFIX}{id}"));
        let make = |path: &Path, mode| {
            let made = DirBuilder::new().mode(mode).create(path);
            made.map_err(|source| SiteError::Make {
                path: path.to_owned(),
                source,
            })
        };
        // Others may pass through, for PostgreSQL runs as another user where we are root, but not look.
        make(&directory, 0o711)?;
        let site = Self {
            ledger: LedgerFile::create(&directory)?,
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
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf, SiteError> {
        let path = self.directory.join("logs").join(format!("{name}.log"));
        let made = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(_) => Ok(path),
            Err(source) => Err(SiteError::Make { path, source }),
        }
    }

    /// Leaves the stack running for others, until `owner` no longer answers for it.
    pub(crate) fn hand_over(&self, owner: Owner) -> Result<(), SiteError> {
        self.ledger.hand_over(owner)?;
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = false;
        Ok(())
    }

    /// Ends the processes and removes the directory, once.
    pub(crate) fn demolish(&self) -> Result<(), SiteError> {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *ours) {
            let ledger = self.ledger.snapshot();
            if ledger.containers_of.is_some() {
                containers::settle(&self.making)?;
            }
            demolish(&self.directory, &ledger)?;
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Err(error) = self.demolish() {
            tracing::warn!(%error, "a stack was not removed completely; `cutover sweep` will");
        }
    }
}

/// Ends what a stack runs and removes its directory; says how many processes and containers still ran.
///
/// Blocking, and the same for an orderly stop, a drop and a sweep: nothing of
/// a throw-away stack is worth a graceful end.
pub(crate) fn demolish(directory: &Path, ledger: &Ledger) -> Result<usize, SiteError> {
    let labelled = ledger.containers_of.as_deref();
    let contained = labelled.map_or(Ok(0), containers::remove);
    // The processes end even where Docker does not answer.
    let alive = end(directory, &ledger.processes)?;
    let contained = contained?;
    remove(directory)?;
    Ok(alive + contained)
}

fn end(directory: &Path, processes: &[Entry]) -> Result<usize, SiteError> {
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
            return Err(SiteError::Undead {
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
fn remove(directory: &Path) -> Result<(), SiteError> {
    let removed = || {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                gone(fs::remove_dir_all(entry.path()))?;
            }
        }
        gone(fs::remove_dir_all(directory))
    };
    // A dying process may still make a file in a directory that is being emptied.
    let mut outcome = gone(removed());
    for _ in 0..20 {
        match outcome {
            Err(ref error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                thread::sleep(LOOK);
                outcome = gone(removed());
            }
            Ok(()) | Err(_) => break,
        }
    }
    outcome.map_err(|source| SiteError::Remove {
        path: directory.to_owned(),
        source,
    })
}

/// What another removed first is removed.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The stacks under a root that belong to this user, with their ledgers.
///
/// A ledger names processes to kill: one that somebody else wrote is not read.
pub(crate) fn stacks_under(root: &Path) -> io::Result<Vec<(PathBuf, Ledger)>> {
    use std::os::unix::fs::MetadataExt as _;

    let me = rustix::process::geteuid().as_raw();
    let mut stacks = Vec::new();
    for entry in fs::read_dir(root)?.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == me);
        if ours && let Ok(ledger) = Ledger::read(&entry.path()) {
            stacks.push((entry.path(), ledger));
        }
    }
    Ok(stacks)
}
