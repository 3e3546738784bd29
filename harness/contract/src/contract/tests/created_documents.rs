//! What a trial creates is written down as early as its id is known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::served::{accepting, pipeline, upload};
use crate::contract::{CreatedDocuments, CreationLog, Pipeline};

/// Remembers the documents that may exist.
#[derive(Debug, Default)]
struct MemoryLog(Mutex<BTreeSet<Uuid>>);

impl CreationLog for MemoryLog {
    fn created(&self, _user_id: Uuid, document_id: Uuid) {
        self.0.lock().unwrap().insert(document_id);
    }

    fn removed(&self, document_id: Uuid) {
        self.0.lock().unwrap().remove(&document_id);
    }
}

/// The ids that are written down after a registration under a contract with these changes.
async fn written_down(overrides: &str, is_answered: bool) -> Vec<Uuid> {
    let log = Arc::<MemoryLog>::default();
    let (server, pipeline): (_, Pipeline) = pipeline(overrides).await;
    if is_answered {
        accepting(&server, 200).await;
    }
    let created = CreatedDocuments::in_journal(Some(Arc::<MemoryLog>::clone(&log)));
    let accepted = pipeline.recording_into(&created).accept(&upload()).await;
    assert_eq!(accepted.is_ok(), is_answered);
    let documents = log.0.lock().unwrap();
    documents.iter().copied().collect()
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
