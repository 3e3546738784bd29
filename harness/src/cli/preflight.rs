//! The preflight: what must be true of a target before a run may begin.

use cutover_reports::policy::Policy;
use cutover_reports::record::Profile;
use serde_json::Value;
use uuid::Uuid;

use super::Trouble;
use crate::contract::{Contract, Pipeline};
use crate::identity::Tenant;
use crate::journal::Recorder;
use crate::probe::{self, Http};
use crate::safety::{Claim, proven, within_profile};
use crate::secret::Secret;
use crate::stop::Stop;
use crate::target::{Class, Target};

/// Asks the interlocks; the run may go on while it holds what this gives.
///
/// Only the version route is asked, and only of a target that may be asked.
pub(super) fn preflight(
    target: &Target,
    contract: &Contract,
    policy: &Policy,
    profile: Profile,
    expected_commit: Option<&str>,
) -> Result<Option<Claim>, Trouble> {
    within_profile(target, policy, profile)?;
    let Some(attachment) = target.attachment() else {
        if expected_commit.is_some() {
            let error =
                "--expect-commit asks a target that somebody else runs: name it with --target";
            return Err(anyhow::anyhow!(error).into());
        }
        return Ok(None);
    };
    let claim = Claim::of(target)?;
    let nobody = Tenant {
        user_id: Uuid::nil(),
        token: Secret::new(""),
        email: String::new(),
    };
    let http = Http::new(probe::client()?, "api", Recorder::silent());
    let fields = &contract.fields.version;
    let contract = std::sync::Arc::new(contract.clone());
    let api = attachment.api.url.clone();
    let pipeline = Pipeline::new(http, contract, api, nobody).anonymous();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let version = runtime.block_on(version(&pipeline));
    if let (Err(trouble), true) = (&version, target.class != Class::Production) {
        return Err(anyhow::anyhow!("ask target '{}' what it is: {trouble}", target.name).into());
    }
    proven(target, fields, version.ok().as_ref(), expected_commit)?;
    Ok(claim)
}

/// What the version route says, or why it says nothing.
async fn version(pipeline: &Pipeline) -> Result<Value, String> {
    let answered = async { pipeline.version().await?.expect_status(200)?.json() };
    answered.await.map_err(|stop: Stop| stop.told())
}
