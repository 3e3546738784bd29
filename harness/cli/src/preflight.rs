//! The preflight: what must be true of a target before a run may begin.

use std::sync::Arc;
use std::time::Duration;

use cutover_reports::policy::Policy;
use cutover_reports::record::Profile;
use serde_json::Value;
use uuid::Uuid;

use super::CommandError;
use cutover_contract::contract::{Contract, Pipeline};
use cutover_contract::identity::Tenant;
use cutover_contract::probe::{self, Http, Poll, eventually};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;
use cutover_evidence::stop::Stop;
use cutover_fault::Links;
use cutover_harness::interlock::{TargetLock, check_profile, verify_class};
use cutover_harness::target_file::{Class, Target};

/// How long a target may take to answer once its links are open.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// What a run holds from its preflight to its end.
#[derive(Default)]
pub(super) struct RunGuards {
    /// The right to be the only run on a target that is not ours.
    _claim: Option<TargetLock>,
    /// What its connections pass through, where they do.
    pub(super) links: Option<Arc<Links>>,
}

/// Asks the interlocks; the run may go on while it holds what this gives.
///
/// Only the version route is asked, and only of a target that may be asked.
pub(super) fn preflight(
    target: &Target,
    contract: &Contract,
    policy: &Policy,
    profile: Profile,
    expected_commit: Option<&str>,
) -> Result<RunGuards, CommandError> {
    check_profile(target, policy, profile)?;
    let Some(attachment) = target.attachment() else {
        if expected_commit.is_some() {
            let error =
                "--expect-commit asks a target that somebody else runs: name it with --target";
            return Err(anyhow::anyhow!(error).into());
        }
        return Ok(RunGuards::default());
    };
    let access = RunGuards {
        _claim: TargetLock::acquire(target)?,
        links: Some(Arc::new(Links::open(&target.links)?)),
    };
    let nobody = Tenant {
        user_id: Uuid::nil(),
        token: Secret::new(""),
        email: String::new(),
    };
    let http = Http::new(probe::client()?, "api", Recorder::silent());
    let fields = &contract.fields.version;
    let contract = Arc::new(contract.clone());
    let api = attachment.api.url.clone();
    let pipeline = Pipeline::new(http, contract, api, nobody).anonymous();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // A system that was cut off until now may need a moment.
    let within = if target.links.is_empty() {
        Duration::ZERO
    } else {
        ANSWERS_WITHIN
    };
    let version = runtime.block_on(version(&pipeline, within));
    if let (Err(trouble), true) = (&version, target.class != Class::Production) {
        return Err(anyhow::anyhow!("ask target '{}' what it is: {trouble}", target.name).into());
    }
    verify_class(target, fields, version.ok().as_ref(), expected_commit)?;
    Ok(access)
}

/// What the version route says, or why it says nothing.
async fn version(pipeline: &Pipeline, within: Duration) -> Result<Value, String> {
    let mut trouble = String::new();
    let look = async || {
        let answered = async { pipeline.version().await?.expect_status(200)?.json() };
        Ok(answered.await.map_or_else(
            |stop: Stop| {
                trouble = stop.summary();
                Poll::Pending(String::new())
            },
            Poll::Ready,
        ))
    };
    let said = eventually(
        &Recorder::silent(),
        "the version route answers",
        within,
        look,
    )
    .await;
    said.map_err(|_| trouble)
}
