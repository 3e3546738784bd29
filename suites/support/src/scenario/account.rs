//! The account of a history: what was acknowledged, what arrived, what was lost, and what came from nowhere.
//!
//! The rules are those of Jepsen's total queue: an operation without an answer may or may not have had
//! an effect, so that its document is neither lost when it is missing nor unexpected when it is there.

use std::collections::{BTreeMap, BTreeSet};

use cutover_harness::prelude::*;

use super::history::{Action, Entry, Happened};

/// What became of the documents of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Documents whose upload was acknowledged.
    pub acknowledged: BTreeSet<usize>,
    /// Documents whose upload may have been accepted.
    pub unknown: BTreeSet<usize>,
    /// Documents that were seen complete.
    pub complete: BTreeSet<usize>,
    /// Documents that were seen failed, and not complete later.
    pub failed: BTreeSet<usize>,
    /// Documents whose users tried to delete them.
    pub deleted: BTreeSet<usize>,
}

impl Account {
    /// The account of a history.
    pub fn of(history: &[Entry]) -> Self {
        let mut account = Self::default();
        let mut uploads = BTreeMap::new();
        for entry in history {
            let Some(document) = entry.document else {
                continue;
            };
            match &entry.event {
                Happened::Invoked {
                    action: Action::Upload,
                } => {
                    uploads.insert(entry.operation, document);
                    account.unknown.insert(document);
                }
                Happened::Invoked {
                    action: Action::Delete,
                } => {
                    account.deleted.insert(document);
                }
                Happened::Ok if uploads.contains_key(&entry.operation) => {
                    account.acknowledged.insert(document);
                }
                Happened::Seen { complete: true } => {
                    account.complete.insert(document);
                }
                Happened::Seen { complete: false } => {
                    account.failed.insert(document);
                }
                Happened::Invoked { .. }
                | Happened::Ok
                | Happened::Failed { .. }
                | Happened::Unknown { .. }
                | Happened::Injected
                | Happened::Healed => {}
            }
        }
        account.unknown = &account.unknown - &account.acknowledged;
        account.failed = &account.failed - &account.complete;
        account
    }

    /// Documents that were acknowledged, have no final state, and were not deleted.
    pub fn lost(&self) -> BTreeSet<usize> {
        let arrived = &self.complete | &self.failed;
        &(&self.acknowledged - &arrived) - &self.deleted
    }

    /// Documents that arrived although nobody tried to upload them.
    pub fn unexpected(&self) -> BTreeSet<usize> {
        let attempted = &self.acknowledged | &self.unknown;
        let arrived = &self.complete | &self.failed;
        &arrived - &attempted
    }

    /// Nothing acknowledged is lost, and nothing comes from nowhere.
    pub fn expect_conserved(&self) -> CheckResult {
        let (lost, all) = (self.lost(), self.acknowledged.len());
        ensure!(
            lost.is_empty(),
            "{} of {all} acknowledged documents have no final state",
            lost.len()
        );
        let unexpected = self.unexpected();
        ensure!(
            unexpected.is_empty(),
            "{} documents have a final state although their bytes were never uploaded",
            unexpected.len()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(operation: u64, document: usize, event: Happened) -> Entry {
        Entry {
            at_ms: 0.0,
            operation,
            document: Some(document),
            event,
        }
    }

    /// The upload of a document with this result.
    fn upload(document: usize, result: Option<Happened>) -> Vec<Entry> {
        let operation = document as u64;
        let action = Action::Upload;
        let invoked = entry(operation, document, Happened::Invoked { action });
        let ended = result.map(|event| entry(operation, document, event));
        std::iter::once(invoked).chain(ended).collect()
    }

    fn seen(document: usize, complete: bool) -> Entry {
        entry(100, document, Happened::Seen { complete })
    }

    #[test]
    fn what_was_acknowledged_and_not_seen_is_lost() {
        let mut history = upload(1, Some(Happened::Ok));
        history.extend(upload(2, Some(Happened::Ok)));
        history.push(seen(2, true));
        let account = Account::of(&history);
        assert_eq!(account.lost(), BTreeSet::from([1]));
        account.expect_conserved().unwrap_err();
        history.push(seen(1, false));
        Account::of(&history).expect_conserved().unwrap();
    }

    #[test]
    fn an_upload_without_an_answer_may_arrive_or_not() {
        let cause = "the connection was reset".to_owned();
        let mut history = upload(1, Some(Happened::Unknown { cause }));
        history.extend(upload(2, None));
        let account = Account::of(&history);
        assert_eq!(account.unknown, BTreeSet::from([1, 2]));
        account.expect_conserved().unwrap();
        history.push(seen(1, true));
        Account::of(&history).expect_conserved().unwrap();
    }

    #[test]
    fn what_its_user_deleted_is_not_lost() {
        let action = Action::Delete;
        let mut history = upload(1, Some(Happened::Ok));
        history.push(entry(9, 1, Happened::Invoked { action }));
        let account = Account::of(&history);
        assert!(account.lost().is_empty());
        assert_eq!(account.acknowledged, BTreeSet::from([1]));
    }

    #[test]
    fn what_nobody_uploaded_comes_from_nowhere() {
        let account = Account::of(&[seen(1, true)]);
        assert_eq!(account.unexpected(), BTreeSet::from([1]));
        account.expect_conserved().unwrap_err();
    }

    #[test]
    fn a_document_that_failed_and_is_complete_later_is_complete() {
        let mut history = upload(1, Some(Happened::Ok));
        history.extend([seen(1, false), seen(1, true)]);
        let account = Account::of(&history);
        assert!(account.failed.is_empty());
        assert_eq!(account.complete, BTreeSet::from([1]));
    }
}
