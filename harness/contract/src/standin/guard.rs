//! A script in force: withdrawn in the open, or at the latest when its guard goes.

use reqwest::RequestBuilder;
use tokio::runtime::Handle;

use super::client::{StandinError, answered};
use super::script::ScriptId;

/// A script in force.
#[must_use = "bind me, or the script is withdrawn immediately"]
#[derive(Debug)]
pub struct ScriptGuard {
    id: ScriptId,
    withdrawal: Option<RequestBuilder>,
    runtime: Option<Handle>,
}

impl ScriptGuard {
    pub(super) fn new(id: ScriptId, withdrawal: RequestBuilder) -> Self {
        let runtime = Handle::try_current().ok();
        Self {
            id,
            withdrawal: Some(withdrawal),
            runtime,
        }
    }

    /// The script's handle.
    pub fn id(&self) -> ScriptId {
        self.id
    }

    /// Withdraws the script and waits until it no longer applies.
    pub async fn withdraw(mut self) -> Result<(), StandinError> {
        match self.withdrawal.take() {
            Some(request) => answered("withdraw a script", request).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for ScriptGuard {
    /// Nobody can wait here: the withdrawal is sent on its way and not looked after.
    fn drop(&mut self) {
        if let (Some(request), Some(runtime)) = (self.withdrawal.take(), &self.runtime) {
            runtime.spawn(request.send());
        }
    }
}
