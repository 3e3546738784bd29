//! The cleanup journal: what a run creates and changes on an attached target, written before it happens.

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

/// The journal's file in a run directory.
pub(crate) const CLEANUP_FILE: &str = "cleanup.jsonl";

/// A document that a run may have created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CreatedDocument {
    /// Its owner.
    pub user_id: Uuid,
    /// Its id.
    pub document_id: Uuid,
}

/// A line of the journal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CleanupEvent {
    /// The document is about to be created.
    Created(CreatedDocument),
    /// The document was deleted, and its deletion was verified.
    Removed(Uuid),
    /// This action is needed to restore the target.
    #[serde(rename = "owed")]
    UndoPending(ControlAction),
    /// The action was applied.
    #[serde(rename = "settled")]
    Undone(ControlAction),
}

/// What remains to be cleaned up on a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// Documents that exist, or may exist.
    pub documents: BTreeSet<CreatedDocument>,
    /// The actions that restore the target, oldest change first.
    pub pending_undo: Vec<ControlAction>,
}

impl Outstanding {
    /// Whether nothing remains to be cleaned up.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.pending_undo.is_empty()
    }

    /// Applies a line of the journal. Returns whether it is worth writing.
    fn apply(&mut self, event: CleanupEvent) -> bool {
        let is_pending = |action| self.pending_undo.contains(action);
        match event {
            CleanupEvent::Created(document) => return self.documents.insert(document),
            CleanupEvent::Removed(id) => self.documents.retain(|it| it.document_id != id),
            CleanupEvent::UndoPending(action) if is_pending(&action) => return false,
            CleanupEvent::UndoPending(action) => self.pending_undo.push(action),
            CleanupEvent::Undone(action) if !is_pending(&action) => return false,
            CleanupEvent::Undone(action) => self.pending_undo.retain(|it| *it != action),
        }
        true
    }
}

/// The journal of what a run creates and changes on a target.
#[derive(Debug)]
pub struct CleanupJournal(Mutex<JournalState>);

#[derive(Debug)]
struct JournalState {
    journal: Journal,
    outstanding: Outstanding,
    failure: Option<JournalError>,
}

impl CleanupJournal {
    /// Opens the journal of a run, and reads what is outstanding in it.
    pub fn open(directory: &Path, redactor: Arc<Redactor>) -> Result<Self, JournalError> {
        let path = directory.join(CLEANUP_FILE);
        let outstanding = read_outstanding(&path).unwrap_or_default();
        let journal = Journal::open(&path, redactor)?;
        Ok(Self(Mutex::new(JournalState {
            journal,
            outstanding,
            failure: None,
        })))
    }

    /// Notes the action that will restore the target after a change that is about to be made.
    pub fn push_undo(&self, action: ControlAction) {
        self.write(CleanupEvent::UndoPending(action));
    }

    /// Notes that an action was applied. It is no longer pending.
    pub fn undone(&self, action: ControlAction) {
        self.write(CleanupEvent::Undone(action));
    }

    /// The actions that restore the target, oldest change first.
    pub fn pending_undo(&self) -> Vec<ControlAction> {
        self.with(|state| state.outstanding.pending_undo.clone())
    }

    /// The documents that exist, or may exist.
    pub fn documents(&self) -> Vec<CreatedDocument> {
        self.with(|state| state.outstanding.documents.iter().copied().collect())
    }

    /// The first failure to write the journal, if there was one.
    pub fn take_failure(&self) -> Option<JournalError> {
        self.with(|state| state.failure.take())
    }

    /// Writes a line, unless it changes nothing.
    fn write(&self, event: CleanupEvent) {
        self.with(|state| {
            if state.outstanding.apply(event) && state.failure.is_none() {
                state.failure = state.journal.append(&event).err();
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut JournalState) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CreationLog for CleanupJournal {
    fn created(&self, user_id: Uuid, document_id: Uuid) {
        self.write(CleanupEvent::Created(CreatedDocument {
            user_id,
            document_id,
        }));
    }

    fn removed(&self, document_id: Uuid) {
        self.write(CleanupEvent::Removed(document_id));
    }
}

/// Reads what is outstanding in a journal. A kill may leave a torn last line;
/// it is skipped, because the change that it announces was not made.
pub(crate) fn read_outstanding(path: &Path) -> io::Result<Outstanding> {
    let mut outstanding = Outstanding::default();
    for line in fs::read_to_string(path)?.lines() {
        if let Ok(event) = serde_json::from_str(line) {
            outstanding.apply(event);
        }
    }
    Ok(outstanding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outstanding_documents_and_actions_are_read_back_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let journal = CleanupJournal::open(directory.path(), Arc::default()).unwrap();
        let [user, first, second] = [1, 2, 3].map(Uuid::from_u128);
        journal.created(user, first);
        journal.created(user, first);
        journal.created(user, second);
        journal.removed(first);
        journal.push_undo(ControlAction::StartApi);
        journal.push_undo(ControlAction::ScaleWorkers(1));
        journal.undone(ControlAction::StartApi);
        let documents = [CreatedDocument {
            user_id: user,
            document_id: second,
        }];
        assert_eq!(journal.documents(), documents);
        let path = directory.path().join(CLEANUP_FILE);
        let torn = format!("{}{{\"created\":", fs::read_to_string(&path).unwrap());
        fs::write(&path, torn).unwrap();
        let outstanding = Outstanding {
            documents: documents.into(),
            pending_undo: vec![ControlAction::ScaleWorkers(1)],
        };
        assert_eq!(read_outstanding(&path).unwrap(), outstanding);
        assert!(!outstanding.is_empty());
        assert!(journal.take_failure().is_none());
    }
}
