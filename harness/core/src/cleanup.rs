//! The cleanup journal: what a run creates and changes on a target that is not ours, written down before it does.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use cutover_contract::contract::CreationLog;

use crate::control_action::ControlAction;
use cutover_evidence::journal::{Journal, JournalError};
use cutover_evidence::redact::Redactor;

/// The file in a run's directory.
pub(crate) const CLEANUP_FILE: &str = "cleanup.jsonl";

/// A document of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CreatedDocument {
    /// Whose it is.
    pub user_id: Uuid,
    /// Which it is.
    pub document_id: Uuid,
}

/// A line of the journal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// It may be there from now on.
    Created(CreatedDocument),
    /// It was deleted, and is not there any more.
    Removed(Uuid),
    /// The target must be told this before it is as it was.
    Owed(ControlAction),
    /// It was told.
    Settled(ControlAction),
}

/// What is left of a run on a target that is not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// Documents that are there, or may be.
    pub documents: BTreeSet<CreatedDocument>,
    /// What the target must be told before it is as it was, in the order in which it came to be owed.
    pub owed: Vec<ControlAction>,
}

impl Outstanding {
    /// Whether everything is as it was.
    pub(crate) fn is_nothing(&self) -> bool {
        self.documents.is_empty() && self.owed.is_empty()
    }

    /// Follows a line of the journal; says whether it changed anything.
    fn follow(&mut self, line: Line) -> bool {
        match line {
            Line::Created(trace) => return self.documents.insert(trace),
            Line::Removed(id) => self.documents.retain(|trace| trace.document_id != id),
            Line::Owed(debt) if self.owed.contains(&debt) => return false,
            Line::Owed(debt) => self.owed.push(debt),
            Line::Settled(told) if !self.owed.contains(&told) => return false,
            Line::Settled(told) => self.owed.retain(|debt| *debt != told),
        }
        true
    }
}

/// What a run creates and changes on a target that is not ours.
#[derive(Debug)]
pub struct CleanupJournal(Mutex<State>);

#[derive(Debug)]
struct State {
    journal: Journal,
    remains: Outstanding,
    broken: Option<JournalError>,
}

impl CleanupJournal {
    /// Opens the journal of a run.
    pub fn open(directory: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        let path = directory.join(CLEANUP_FILE);
        let remains = remains_in(&path).unwrap_or_default();
        let journal = Journal::open(&path, redactor)?;
        Ok(Self(Mutex::new(State {
            journal,
            remains,
            broken: None,
        })))
    }

    /// The target is about to be changed so that it must be told this before it is as it was.
    pub fn owe(&self, debt: ControlAction) {
        self.write(Line::Owed(debt));
    }

    /// The target was told something, which may settle what was owed.
    pub fn settled(&self, told: ControlAction) {
        self.write(Line::Settled(told));
    }

    /// What the target must be told before it is as it was.
    pub fn owed(&self) -> Vec<ControlAction> {
        self.with(|state| state.remains.owed.clone())
    }

    /// The documents that are still there, or may be.
    pub fn left(&self) -> Vec<CreatedDocument> {
        self.with(|state| state.remains.documents.iter().copied().collect())
    }

    /// The first failure to write, if there was one.
    pub fn take_failure(&self) -> Option<JournalError> {
        self.with(|state| state.broken.take())
    }

    /// Writes a line, unless it says what is known.
    fn write(&self, line: Line) {
        self.with(|state| {
            if state.remains.follow(line) && state.broken.is_none() {
                state.broken = state.journal.append(&line).err();
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CreationLog for CleanupJournal {
    fn created(&self, user_id: Uuid, document_id: Uuid) {
        self.write(Line::Created(CreatedDocument {
            user_id,
            document_id,
        }));
    }

    fn removed(&self, document_id: Uuid) {
        self.write(Line::Removed(document_id));
    }
}

/// What a journal says is left; a torn last line, which a kill leaves, was never acted upon.
pub(crate) fn remains_in(path: &Path) -> io::Result<Outstanding> {
    let mut remains = Outstanding::default();
    for line in fs::read_to_string(path)?.lines() {
        if let Ok(line) = serde_json::from_str(line) {
            remains.follow(line);
        }
    }
    Ok(remains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_created_and_not_removed_is_left_also_for_the_next_who_reads() {
        let directory = tempfile::tempdir().unwrap();
        let journal = CleanupJournal::open(directory.path(), Arc::default()).unwrap();
        let [user, first, second] = [1, 2, 3].map(Uuid::from_u128);
        journal.created(user, first);
        journal.created(user, first);
        journal.created(user, second);
        journal.removed(first);
        journal.owe(ControlAction::StartApi);
        journal.owe(ControlAction::ScaleWorkers(1));
        journal.settled(ControlAction::StartApi);
        let left = [CreatedDocument {
            user_id: user,
            document_id: second,
        }];
        assert_eq!(journal.left(), left);
        let path = directory.path().join(CLEANUP_FILE);
        let torn = format!("{}{{\"created\":", fs::read_to_string(&path).unwrap());
        fs::write(&path, torn).unwrap();
        let remains = Outstanding {
            documents: left.into(),
            owed: vec![ControlAction::ScaleWorkers(1)],
        };
        assert_eq!(remains_in(&path).unwrap(), remains);
        assert!(!remains.is_nothing());
        assert!(journal.take_failure().is_none());
    }
}
