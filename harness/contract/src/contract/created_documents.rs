//! The documents that a trial creates: logged before they exist, and deleted afterwards.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::accepted::Accepted;
use super::contract::Contract;
use crate::identity::Tenant;

/// A log of the documents that may exist on a shared target.
pub trait CreationLog: Debug + Send + Sync {
    /// The document may exist from now on: it is registered, or its registration is about to be sent.
    fn created(&self, user_id: Uuid, document_id: Uuid);

    /// The document was deleted, and its absence was verified.
    fn removed(&self, document_id: Uuid);
}

/// The documents that a trial has registered, by id.
#[derive(Clone, Debug, Default)]
pub struct CreatedDocuments {
    documents: Arc<Mutex<BTreeMap<Uuid, RegisteredDocument>>>,
    /// The log of a shared target.
    pub(super) log: Option<Arc<dyn CreationLog>>,
}

#[derive(Clone, Debug)]
pub(super) struct RegisteredDocument {
    pub(super) tenant: Tenant,
    accepted: Accepted,
    /// Whether bytes were uploaded to the signed URL.
    uploaded: bool,
}

impl CreatedDocuments {
    /// Documents that are also logged, so that they can be deleted after a kill.
    pub fn in_log(log: Option<Arc<dyn CreationLog>>) -> Self {
        Self {
            log,
            ..Self::default()
        }
    }

    /// Logs a document before its registration with this body is sent.
    pub(super) fn registering(&self, contract: &Contract, tenant: Option<&Tenant>, body: &[u8]) {
        let (Some(log), Some(tenant)) = (&self.log, tenant) else {
            return;
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let hash = contract.requests.upload.sha256.find(&body);
        let hash = hash.and_then(Value::as_str);
        let expected = hash.and_then(|hash| contract.document_id(tenant.user_id, hash));
        if let Some(document_id) = expected {
            log.created(tenant.user_id, document_id);
        }
    }

    /// Adds a registered document.
    pub(super) fn accepted(&self, tenant: Option<&Tenant>, accepted: &Accepted) {
        let Some(tenant) = tenant.cloned() else {
            return;
        };
        if let Some(log) = &self.log {
            log.created(tenant.user_id, accepted.document_id);
        }
        let registered = RegisteredDocument {
            tenant,
            accepted: accepted.clone(),
            uploaded: false,
        };
        self.with(|documents| documents.insert(accepted.document_id, registered));
    }

    /// Marks the document of this URL as uploaded.
    pub(super) fn uploaded(&self, signed_url: &Url) {
        self.with(|documents| {
            let mut registered = documents.values_mut();
            if let Some(document) =
                registered.find(|document| document.accepted.signed_url == *signed_url)
            {
                document.uploaded = true;
            }
        });
    }

    /// The documents whose bytes were uploaded, each with its owner.
    pub(super) fn uploads(&self) -> Vec<(Tenant, Accepted)> {
        self.with(|documents| {
            let uploaded = documents.values().filter(|document| document.uploaded);
            uploaded
                .map(|document| (document.tenant.clone(), document.accepted.clone()))
                .collect()
        })
    }

    /// Removes and returns the documents to delete: all of them on a shared target, otherwise
    /// those for which the pipeline still waits for an upload.
    pub(super) fn drain_for_deletion(&self) -> BTreeMap<Uuid, RegisteredDocument> {
        let all = self.log.is_some();
        self.with(|documents| {
            documents
                .extract_if(.., |_, document| all || !document.uploaded)
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
