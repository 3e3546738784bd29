//! The guard of an active script: it removes the script on request or on drop.

use reqwest::RequestBuilder;
use tokio::runtime::Handle;

use super::script::ScriptId;
use super::transport::{StandinError, send};

/// The guard of an active script.
#[must_use = "the script is removed when the guard is dropped"]
#[derive(Debug)]
pub struct ScriptGuard {
    id: ScriptId,
    removal: Option<RequestBuilder>,
    runtime: Option<Handle>,
}

impl ScriptGuard {
    pub(super) fn new(id: ScriptId, removal: RequestBuilder) -> Self {
        let runtime = Handle::try_current().ok();
        Self {
            id,
            removal: Some(removal),
            runtime,
        }
    }

    /// The script's id.
    pub fn id(&self) -> ScriptId {
        self.id
    }

    /// Removes the script, and waits until it is inactive.
    pub async fn withdraw(mut self) -> Result<(), StandinError> {
        match self.removal.take() {
            Some(request) => send("remove a script", request).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for ScriptGuard {
    /// `drop` cannot wait, so the request is sent in the background and its result is ignored.
    fn drop(&mut self) {
        if let (Some(request), Some(runtime)) = (self.removal.take(), &self.runtime) {
            runtime.spawn(request.send());
        }
    }
}
