//! What a trial has created: written down before it is, and taken back afterwards.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::accepted::Accepted;
use super::client::Pipeline;
use crate::identity::Tenant;

/// Writes down which documents may exist on a target that is not ours.
pub trait CreationLog: Debug + Send + Sync {
    /// The document may exist from now on: it is registered, or about to be.
    fn created(&self, user_id: Uuid, document_id: Uuid);

    /// The document was deleted and is gone.
    fn removed(&self, document_id: Uuid);
}

/// The documents that a trial has registered, by their ids.
#[derive(Clone, Debug, Default)]
pub struct CreatedDocuments {
    documents: Arc<Mutex<BTreeMap<Uuid, RegisteredDocument>>>,
    /// Where they are written down, on a target that is not ours.
    journal: Option<Arc<dyn CreationLog>>,
}

#[derive(Clone, Debug)]
struct RegisteredDocument {
    tenant: Tenant,
    address: Url,
    /// Whether bytes were put to the address.
    sent: bool,
}

impl CreatedDocuments {
    /// Documents that are also written down, so that they can be taken back after a kill.
    pub fn in_journal(journal: Option<Arc<dyn CreationLog>>) -> Self {
        Self {
            journal,
            ..Self::default()
        }
    }

    /// A document is about to be registered by this body.
    pub(super) fn registering(&self, pipeline: &Pipeline, body: &[u8]) {
        let (Some(journal), Some(tenant)) = (&self.journal, pipeline.tenant()) else {
            return;
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let contract = pipeline.contract();
        let hash = contract.requests.upload.sha256.find(&body);
        let hash = hash.and_then(Value::as_str);
        let expected = hash.and_then(|hash| contract.document_id(tenant.user_id, hash));
        if let Some(document_id) = expected {
            journal.created(tenant.user_id, document_id);
        }
    }

    /// A document was accepted.
    pub(super) fn accepted(&self, tenant: Option<&Tenant>, accepted: &Accepted) {
        let Some(tenant) = tenant.cloned() else {
            return;
        };
        if let Some(journal) = &self.journal {
            journal.created(tenant.user_id, accepted.document_id);
        }
        let registered = RegisteredDocument {
            tenant,
            address: accepted.signed_url.clone(),
            sent: false,
        };
        self.with(|documents| documents.insert(accepted.document_id, registered));
    }

    /// Bytes were put to an address.
    pub(super) fn sent(&self, address: &Url) {
        self.with(|documents| {
            let mut registered = documents.values_mut();
            if let Some(document) = registered.find(|document| document.address == *address) {
                document.sent = true;
            }
        });
    }

    /// Takes the documents out that are to be taken back: all of them where they are
    /// written down, else those that the pipeline would go on looking for.
    fn take(&self) -> BTreeMap<Uuid, RegisteredDocument> {
        let everything = self.journal.is_some();
        self.with(|documents| {
            documents
                .extract_if(.., |_, document| everything || !document.sent)
                .collect()
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Uuid, RegisteredDocument>) -> T) -> T {
        change(
            &mut self
                .documents
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Pipeline {
    /// Deletes what a trial created, newest promise first, in the names of those who created it.
    ///
    /// On a stack of our own only what is registered and not sent: a pipeline looks for such bytes at
    /// every poll until their address expires, and a trial that is over should cost the others nothing.
    /// Whether it succeeds is not judged here: it is not what the trial is about.
    pub async fn delete_created(&self, created: &CreatedDocuments) {
        for (document, registered) in created.take() {
            let owner = self.as_tenant(registered.tenant);
            let gone = owner.delete_and_verify(document).await;
            if let (true, Some(journal)) = (gone, &created.journal) {
                journal.removed(document);
            }
        }
    }

    /// Deletes a document and looks whether it is gone.
    pub async fn delete_and_verify(&self, document: Uuid) -> bool {
        if self.delete(document).await.is_err() {
            return false;
        }
        let shown = self.document(document).await;
        shown.is_ok_and(|shown| shown.status == 404)
    }
}
