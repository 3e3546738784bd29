//! A created document is logged as soon as its id is known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::served::{accepting, pipeline, upload};
use crate::contract::{CreatedDocuments, CreationLog, Pipeline};

/// A log in memory.
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

/// The logged ids after a registration, with these overrides of the contract.
async fn logged_ids(overrides: &str, has_response: bool) -> Vec<Uuid> {
    let log = Arc::<MemoryLog>::default();
    let (server, pipeline): (_, Pipeline) = pipeline(overrides).await;
    if has_response {
        accepting(&server, 200).await;
    }
    let created = CreatedDocuments::in_log(Some(Arc::<MemoryLog>::clone(&log)));
    let accepted = pipeline.recording_into(&created).accept(&upload()).await;
    assert_eq!(accepted.is_ok(), has_response);
    let documents = log.0.lock().unwrap();
    documents.iter().copied().collect()
}

#[tokio::test]
async fn a_derived_id_is_logged_before_the_request_is_sent() {
    assert_eq!(logged_ids("", false).await.len(), 1);
}

#[tokio::test]
async fn a_random_id_is_logged_after_the_response() {
    let random = "ids.document = 'random'";
    assert!(logged_ids(random, false).await.is_empty());
    assert_eq!(logged_ids(random, true).await, [Uuid::nil()]);
}
