//! What a trial creates is written down as early as its id is known.

use std::sync::Arc;

use uuid::Uuid;

use super::served::{accepting, pipeline, upload};
use crate::cleanup::CleanupJournal;
use crate::contract::{Created, Pipeline};

/// The ids that are written down after a registration under a contract with these changes.
async fn written_down(overrides: &str, is_answered: bool) -> Vec<Uuid> {
    let directory = tempfile::tempdir().unwrap();
    let journal = CleanupJournal::open(directory.path(), Arc::default()).unwrap();
    let journal = Arc::new(journal);
    let (server, pipeline): (_, Pipeline) = pipeline(overrides).await;
    if is_answered {
        accepting(&server, 200).await;
    }
    let created = Created::in_journal(Some(Arc::clone(&journal)));
    let accepted = pipeline.noting(&created).accept(&upload()).await;
    assert_eq!(accepted.is_ok(), is_answered);
    let left = journal.left().into_iter();
    left.map(|trace| trace.document_id).collect()
}

#[tokio::test]
async fn an_id_that_can_be_derived_is_written_down_before_anything_is_sent() {
    assert_eq!(written_down("", false).await.len(), 1);
}

#[tokio::test]
async fn a_random_id_is_written_down_once_it_is_known() {
    let random = "ids.document = 'random'";
    assert!(written_down(random, false).await.is_empty());
    assert_eq!(written_down(random, true).await, [Uuid::nil()]);
}
