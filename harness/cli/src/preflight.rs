//! The preflight: what must be true of a target before a run may start.

use std::sync::Arc;
use std::time::Duration;

use cutover_reports::policy::Policy;
use cutover_reports::record::Profile;
use uuid::Uuid;

use crate::{CommandError, UsageError, runtime};
use cutover_contract::contract::{Contract, Pipeline};
use cutover_contract::identity::Tenant;
use cutover_contract::probe::{self, Http, Poll, eventually};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;
use cutover_fault::Links;
use cutover_harness::identification::Reported;
use cutover_harness::interlock::{TargetLock, check_profile, verify_class};
use cutover_harness::target_file::{Attachment, Class, Target};

/// How long a target may take to answer after its links are opened.
const LINKS_TIMEOUT: Duration = Duration::from_secs(30);

/// What a run holds from its preflight to its end.
#[derive(Default)]
pub(super) struct RunGuards {
    /// The lock that makes this the only run on a deployed target.
    _lock: Option<TargetLock>,
    /// The links of a deployed target.
    pub(super) links: Option<Arc<Links>>,
}

/// Checks the interlocks; the run may continue while it holds the result.
///
/// Sends no request but to the source of the identification, by default the version route.
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
            let error = UsageError::new(
                "check the deployed commit",
                "--expect-commit requires a deployed target",
                "name the target file with --target",
            );
            return Err(error.into());
        }
        return Ok(RunGuards::default());
    };
    let guards = RunGuards {
        _lock: TargetLock::acquire(target)?,
        links: Some(Arc::new(Links::open(&target.links)?)),
    };
    let pipeline = anonymous_client(&attachment, contract)?;
    // With links, the system was disconnected until now and may need time to reconnect.
    let timeout = if target.links.is_empty() {
        Duration::ZERO
    } else {
        LINKS_TIMEOUT
    };
    let version = runtime::current_thread()?.block_on(reported(target, &pipeline, timeout));
    if let (Err(failure), true) = (&version, target.class != Class::Production) {
        let error = UsageError::new(
            format!("identify target '{}'", target.name),
            failure.clone(),
            "`cutover doctor --target <FILE>` checks each connection of the target",
        );
        return Err(error.into());
    }
    verify_class(target, version.ok().as_ref(), expected_commit)?;
    Ok(guards)
}

fn anonymous_client(attachment: &Attachment<'_>, contract: &Contract) -> anyhow::Result<Pipeline> {
    let anonymous = Tenant {
        user_id: Uuid::nil(),
        token: Secret::new(""),
        email: String::new(),
    };
    let http = Http::new(probe::client()?, "api", Recorder::silent());
    let contract = Arc::new(contract.clone());
    let api = attachment.api.url.clone();
    Ok(Pipeline::new(http, contract, api, anonymous).anonymous())
}

/// What the target says about itself, or why it says nothing.
async fn reported(
    target: &Target,
    pipeline: &Pipeline,
    timeout: Duration,
) -> Result<Reported, String> {
    let mut failure = String::new();
    let poll = async || {
        let reported = target.identification.read(pipeline).await;
        Ok(reported.map_or_else(
            |error| {
                failure = error.to_string();
                Poll::Pending(String::new())
            },
            Poll::Ready,
        ))
    };
    let answer = eventually(
        &Recorder::silent(),
        "the target says who it is",
        timeout,
        poll,
    )
    .await;
    answer.map_err(|_| failure)
}
