//! Documents that a trial has registered and whose bytes it has not sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;
use uuid::Uuid;

use super::accepted::Accepted;
use super::client::Pipeline;
use crate::identity::Tenant;

/// Documents that are registered and not sent, by the address for their bytes.
///
/// A pipeline looks for their bytes until the address expires. A trial that is over
/// takes them back, so that it costs those beside it nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unsent(Arc<Mutex<BTreeMap<Url, Registered>>>);

#[derive(Clone, Debug)]
struct Registered {
    tenant: Tenant,
    document: Uuid,
}

impl Unsent {
    /// A document was accepted.
    pub(super) fn accepted(&self, tenant: Option<&Tenant>, accepted: &Accepted) {
        let Some(tenant) = tenant.cloned() else {
            return;
        };
        let registered = Registered {
            tenant,
            document: accepted.document_id,
        };
        let address = accepted.signed_url.clone();
        self.with(|waiting| waiting.insert(address, registered));
    }

    /// Bytes were put to an address.
    pub(super) fn sent(&self, address: &Url) {
        self.with(|waiting| waiting.remove(address));
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Url, Registered>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pipeline {
    /// Deletes what is registered and not sent, in the names of those who registered it.
    ///
    /// Whether that succeeds is not judged: it was not what the trial is about.
    pub(crate) async fn take_back_unsent(&self, unsent: &Unsent) {
        for (_, registered) in unsent.with(std::mem::take) {
            let owner = self.as_tenant(registered.tenant);
            let _ = owner.delete(registered.document).await;
        }
    }
}
