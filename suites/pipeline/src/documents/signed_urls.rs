//! Signed URLs: where they point, how long they are valid, and what happens if signing fails.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::StorageBehaviour;
use time::OffsetDateTime;

use cutover_suite_support::outcomes::expect_failure;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_upload_url_points_to_the_storage)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Storage])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(an_upload_url_accepts_bytes_once)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Storage])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(late_bytes_are_waited_for, DELAYS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(13))
            .severity(Critical)
            .advisory(),
        check!(an_upload_that_never_comes_fails)
            .only_where([Condition::RAW_PATH, Condition::SHORT_URL_LIFETIME])
            .requires([Http, Database, Storage])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(16))
            .severity(High)
            .advisory(),
        check!(
            an_upload_without_a_signed_url_leaves_nothing,
            SIGNING_FAILURES
        )
        .only_where([Condition::RAW_PATH])
        .requires([Http, Database, Standins])
        .reads([read::DOCUMENTS])
        .effect(Effect::WriteTenant)
        .occupies(Resource::Connections)
        .severity(Critical),
    ]
}

/// The largest clock difference between two machines.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The signed URL points to the pipeline's storage, to the document's object, and expires after the promised time.
async fn the_upload_url_points_to_the_storage(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let asked = OffsetDateTime::now_utc();
    let accepted = cx
        .pipeline_as(tenant.clone())?
        .accept(cx.document().build().upload())
        .await?;
    let storage = cx.storage()?;
    ensure_eq!(
        accepted.signed_url.origin().ascii_serialization(),
        storage.supabase().origin().ascii_serialization(),
        "the signed URL points to another storage"
    );
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    ensure!(
        accepted.signed_url.path().ends_with(&format!("/{raw}")),
        "the signed URL points to {}, not to {raw}",
        accepted.signed_url.path()
    );
    if !cx.contract().fields.accepted.upload_expires_at.is_given() {
        return Ok(());
    }
    let expires = accepted.expires_at(cx.contract())?;
    let ttl = cx.contract().limits.url_ttl;
    ensure!(
        expires > OffsetDateTime::now_utc()
            && expires <= OffsetDateTime::now_utc() + ttl + CLOCK_SKEW,
        "the signed URL expires at {expires}, which is not within {ttl:?} from now"
    );
    ensure!(
        expires + CLOCK_SKEW >= asked + ttl,
        "the signed URL expires at {expires}, which is less than the promised {ttl:?}"
    );
    Ok(())
}

/// Uploaded bytes are final: neither a second use of the signed URL nor a forged one replaces them.
async fn an_upload_url_accepts_bytes_once(cx: &Context) -> CheckResult {
    let (document, other) = (cx.document().build(), cx.document().build());
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let again = pipeline
        .put(&done.accepted.signed_url, other.bytes())
        .await?;
    ensure!(
        !again.is_success(),
        "a signed URL accepts other bytes after the first upload"
    );
    let unused = pipeline.accept(other.upload()).await?;
    let mut forged = unused.signed_url.clone();
    forged.set_query(Some("token=forged"));
    let reply = pipeline.put(&forged, other.bytes()).await?;
    ensure!(
        !reply.is_success(),
        "a URL with a forged signature accepts bytes"
    );
    let storage = cx.storage()?;
    let raw = |id| cx.contract().raw_path(tenant.user_id, id);
    let kept = storage.get(&raw(done.document_id())).await?;
    ensure!(
        kept.is_some_and(|bytes| bytes == document.bytes()),
        "the bytes of a complete document were replaced"
    );
    ensure!(
        !storage.exists(&raw(unused.document_id)).await?,
        "bytes that were sent to a URL with a forged signature are stored"
    );
    Ok(())
}

/// A client that uploads late.
pub(super) struct Delay {
    name: &'static str,
    /// The delay, as a function of the URL's lifetime.
    of: fn(Duration) -> Duration,
    /// Whether it grows with that lifetime.
    grows: bool,
}

impl Named for Delay {
    fn name(&self) -> &'static str {
        self.name
    }

    fn conditions(&self) -> Vec<Condition> {
        if self.grows {
            vec![Condition::SHORT_URL_LIFETIME]
        } else {
            Vec::new()
        }
    }
}

/// Delays within the lifetime of a URL. Some pipelines promise five minutes and wait for eight seconds.
const DELAYS: &[Delay] = &[
    Delay {
        name: "two_seconds",
        of: |life| secs(2).min(life / 2),
        grows: false,
    },
    Delay {
        name: "ten_seconds",
        of: |life| secs(10).min(life * 2 / 3),
        grows: false,
    },
    Delay {
        name: "just_before_expiry",
        of: |life| life.saturating_sub(life / 6),
        grows: true,
    },
];

/// Attempts to upload just before the expiry: a busy machine may wake the client too late.
const TRIES: usize = 3;

/// Bytes that arrive late, but before the URL expires, are accepted.
async fn late_bytes_are_waited_for(cx: &Context, case: &Delay) -> CheckResult {
    let life = cx.contract().limits.url_ttl;
    let late = (case.of)(life);
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    for _ in 0..TRIES {
        let (since, asked) = (Instant::now(), OffsetDateTime::now_utc());
        let accepted = pipeline.accept(document.upload()).await?;
        cx.eventually("the delay has passed", late * 2, async || {
            let job = pipeline.view(&accepted).await?;
            let is_over = since.elapsed() >= life;
            ensure!(
                job.status == cx.contract().vocabulary.registered || is_over,
                "a job does not wait for its bytes: {}",
                job.summary()
            );
            Ok((since.elapsed() >= late).then_some(()))
        })
        .await?;
        let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
        if put.is_success() {
            let job = pipeline.until_complete(&accepted).await?;
            return expect_changed_since(cx.contract(), &job, asked + late);
        }
        ensure!(
            since.elapsed() >= life,
            "the signed URL refuses bytes after {late:?}: {}",
            put.summary()
        );
        // The client woke up too late: the document fails and is uploaded again.
        pipeline.until_final(&accepted).await?;
    }
    Err(anyhow::anyhow!("the machine is too busy to upload in time").into())
}

/// `updated_at` of a job is the time of its last change, not of its creation.
fn expect_changed_since(contract: &Contract, job: &JobView, then: OffsetDateTime) -> CheckResult {
    let Some(changed) = &job.updated_at else {
        return Ok(());
    };
    let changed = contract.time("updated_at of a job", changed)?;
    ensure!(
        changed + CLOCK_SKEW >= then,
        "the bytes of a complete job arrived at {then}, but its updated_at is {changed}"
    );
    Ok(())
}

/// After the URL expires, a job without bytes fails and reports the cause. The URL accepts no bytes any more,
/// and the document can be uploaded again.
async fn an_upload_that_never_comes_fails(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    expect_failure(
        cx,
        &pipeline,
        &accepted,
        &cx.contract().vocabulary.failures.parse,
    )
    .await?;
    let says_when = cx.contract().fields.accepted.upload_expires_at.is_given();
    ensure!(
        !says_when || accepted.expires_at(cx.contract())? <= OffsetDateTime::now_utc() + CLOCK_SKEW,
        "a job without bytes fails before its signed URL expires"
    );
    let late = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        !late.is_success(),
        "an expired URL accepts bytes: {}",
        late.summary()
    );
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    ensure!(
        !cx.storage()?.exists(&raw).await?,
        "bytes that were sent to an expired URL are stored"
    );
    pipeline.complete(&document).await?;
    Ok(())
}

/// A reason why signing fails.
pub(super) struct SigningFailure {
    name: &'static str,
    behaviour: fn() -> StorageBehaviour,
}

impl Named for SigningFailure {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Reasons why signing fails.
const SIGNING_FAILURES: &[SigningFailure] = &[
    SigningFailure {
        name: "forbidden",
        behaviour: || refuse(403),
    },
    SigningFailure {
        name: "broken",
        behaviour: || refuse(500),
    },
    SigningFailure {
        name: "away",
        behaviour: || refuse(503),
    },
    SigningFailure {
        name: "silent",
        behaviour: || StorageBehaviour::Hang,
    },
];

fn refuse(status: u16) -> StorageBehaviour {
    StorageBehaviour::Refuse {
        status,
        marker: "signing refused".to_owned(),
    }
}

/// If signing fails, the upload fails without leaving a row, and the next attempt succeeds.
async fn an_upload_without_a_signed_url_leaves_nothing(
    cx: &Context,
    case: &SigningFailure,
) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let raw = cx
        .contract()
        .expected_raw_path(tenant.user_id, document.sha256())?;
    let scope = format!("POST {raw}");
    let script = cx
        .standins()?
        .script_storage(scope, (case.behaviour)())
        .await?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let reply = pipeline.register(document.upload()).await?;
    ensure!(
        reply.status >= 500,
        "an upload without a signed URL is answered with {}",
        reply.summary()
    );
    expect_error_body(&reply, cx.contract())?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(
        rows.is_empty(),
        "an upload without a signed URL leaves a row"
    );
    script.withdraw().await?;
    pipeline.complete(&document).await?;
    Ok(())
}
