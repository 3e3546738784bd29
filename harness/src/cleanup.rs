//! The cleanup journal: what a run creates on a target that is not ours, written down before it is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::{Journal, JournalError};
use crate::redact::Redactor;

/// The file in a run's directory.
pub(crate) const CLEANUP_FILE: &str = "cleanup.jsonl";

/// A document of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Trace {
    /// Whose it is.
    pub(crate) user_id: Uuid,
    /// Which it is.
    pub(crate) document_id: Uuid,
}

/// A line of the journal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// It may be there from now on.
    Created(Trace),
    /// It was deleted, and is not there any more.
    Removed(Uuid),
}

/// What a run creates on a target that is not ours.
#[derive(Debug)]
pub(crate) struct CleanupJournal(Mutex<State>);

#[derive(Debug)]
struct State {
    journal: Journal,
    left: BTreeSet<Trace>,
    broken: Option<JournalError>,
}

impl CleanupJournal {
    /// Opens the journal of a run.
    pub(crate) fn open(directory: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        let path = directory.join(CLEANUP_FILE);
        let left = left_in(&path).unwrap_or_default();
        let journal = Journal::open(&path, redactor)?;
        Ok(Self(Mutex::new(State {
            journal,
            left,
            broken: None,
        })))
    }

    /// A document is about to be registered; its id is known where the contract makes it.
    pub(crate) fn registering(&self, user_id: Uuid, document_id: Option<Uuid>) {
        if let Some(document_id) = document_id {
            self.created(user_id, document_id);
        }
    }

    /// A document was registered.
    pub(crate) fn registered(&self, user_id: Uuid, document_id: Uuid) {
        self.created(user_id, document_id);
    }

    /// A document was deleted and is gone.
    pub(crate) fn removed(&self, document_id: Uuid) {
        self.with(|state| {
            state.left.retain(|trace| trace.document_id != document_id);
            state.write(Line::Removed(document_id));
        });
    }

    /// What is still there, or may be.
    pub(crate) fn left(&self) -> Vec<Trace> {
        self.with(|state| state.left.iter().copied().collect())
    }

    /// The first failure to write, if there was one.
    pub(crate) fn take_failure(&self) -> Option<JournalError> {
        self.with(|state| state.broken.take())
    }

    fn created(&self, user_id: Uuid, document_id: Uuid) {
        let trace = Trace {
            user_id,
            document_id,
        };
        self.with(|state| {
            if state.left.insert(trace) {
                state.write(Line::Created(trace));
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn write(&mut self, line: Line) {
        if self.broken.is_none() {
            self.broken = self.journal.append(&line).err();
        }
    }
}

/// What a journal says is still there; a torn last line, which a kill leaves, was never acted upon.
pub(crate) fn left_in(path: &Path) -> io::Result<BTreeSet<Trace>> {
    let mut left = BTreeSet::new();
    for line in fs::read_to_string(path)?.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Created(trace)) => {
                left.insert(trace);
            }
            Ok(Line::Removed(id)) => left.retain(|trace| trace.document_id != id),
            Err(_) => {}
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_created_and_not_removed_is_left_also_for_the_next_who_reads() {
        let directory = tempfile::tempdir().unwrap();
        let journal = CleanupJournal::open(directory.path(), Arc::default()).unwrap();
        let [user, first, second] = [1, 2, 3].map(Uuid::from_u128);
        journal.registering(user, Some(first));
        journal.registered(user, first);
        journal.registered(user, second);
        journal.removed(first);
        let left = [Trace {
            user_id: user,
            document_id: second,
        }];
        assert_eq!(journal.left(), left);
        let path = directory.path().join(CLEANUP_FILE);
        let torn = format!("{}{{\"created\":", fs::read_to_string(&path).unwrap());
        fs::write(&path, torn).unwrap();
        assert_eq!(
            left_in(&path).unwrap().into_iter().collect::<Vec<_>>(),
            left
        );
        assert!(journal.take_failure().is_none());
    }
}
