//! The signed address: where it leads, how long it waits, and that nothing is left where there is none.

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
            .requires([Http, Storage])
            .effect(WriteTenant)
            .severity(High),
        check!(an_upload_url_accepts_bytes_once)
            .requires([Http, Storage])
            .effect(WriteTenant)
            .severity(Critical),
        check!(late_bytes_are_waited_for, DELAYS)
            .requires([Http])
            .effect(WriteTenant)
            .takes(secs(13))
            .severity(Critical)
            .advisory(),
        check!(an_upload_that_never_comes_fails)
            .requires([Http, Database, Storage])
            .effect(WriteTenant)
            .takes(secs(16))
            .severity(High)
            .advisory(),
        check!(an_upload_without_a_signed_url_leaves_nothing, UNSIGNED)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// How far the clocks of two machines may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// The address leads to the storage that the pipeline reads, to the very object, for the time that was promised.
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
        "the address for the bytes leads to another storage"
    );
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    ensure!(
        accepted.signed_url.path().ends_with(&format!("/{raw}")),
        "the address for the bytes leads to {}, not to {raw}",
        accepted.signed_url.path()
    );
    if !cx.contract().fields.accepted.upload_expires_at.is_given() {
        return Ok(());
    }
    let expires = accepted.expires_at(cx.contract())?;
    let ttl = cx.contract().limits.url_ttl;
    ensure!(
        expires > OffsetDateTime::now_utc()
            && expires <= OffsetDateTime::now_utc() + ttl + CLOCKS_APART,
        "the address is good until {expires}, which is not within {ttl:?} from now"
    );
    ensure!(
        expires + CLOCKS_APART >= asked + ttl,
        "the address is good until {expires}, which is less than the {ttl:?} that were promised"
    );
    Ok(())
}

/// Bytes that were put stay: neither the same address again nor a forged one replaces them.
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
        "an address takes other bytes after the first"
    );
    let unused = pipeline.accept(other.upload()).await?;
    let mut forged = unused.signed_url.clone();
    forged.set_query(Some("token=forged"));
    let reply = pipeline.put(&forged, other.bytes()).await?;
    ensure!(
        !reply.is_success(),
        "bytes are taken at an address that nobody signed"
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
        "bytes are stored that came by an address that nobody signed"
    );
    Ok(())
}

/// A client that takes its time.
pub(super) struct Delay {
    name: &'static str,
    /// How long it takes, of the life of its address.
    of: fn(Duration) -> Duration,
}

impl Named for Delay {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Clients that take their time. Pipelines that promised five minutes were seen to wait eight seconds.
const DELAYS: &[Delay] = &[
    Delay {
        name: "two_seconds",
        of: |life| secs(2).min(life / 2),
    },
    Delay {
        name: "ten_seconds",
        of: |life| secs(10).min(life * 2 / 3),
    },
    Delay {
        name: "just_before_expiry",
        of: |life| life.saturating_sub(life / 6),
    },
];

/// The longest life of an address that a check waits for.
const LONGEST_WAIT: Duration = secs(30);

/// How often a client tries to be late in time, on a machine that lets it oversleep.
const TRIES: usize = 3;

/// Bytes that come late, but within the time that was promised, are as good as any.
async fn late_bytes_are_waited_for(cx: &Context, case: &Delay) -> CheckResult {
    let life = cx.contract().limits.url_ttl;
    let late = (case.of)(life);
    if late > LONGEST_WAIT {
        return Err(too_long(late));
    }
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    for _ in 0..TRIES {
        let (since, asked) = (Instant::now(), OffsetDateTime::now_utc());
        let accepted = pipeline.accept(document.upload()).await?;
        cx.eventually("the client gets to it", late * 2, async || {
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
            return changed_since(cx.contract(), &job, asked + late);
        }
        ensure!(
            since.elapsed() >= life,
            "the address refuses bytes after {late:?}: {}",
            put.summary()
        );
        // Overslept: the document fails, and is sent again.
        pipeline.until_final(&accepted).await?;
    }
    Err(anyhow::anyhow!("the machine is too busy to be late in time").into())
}

/// A job says that it changed when it did, and not when it was made.
fn changed_since(contract: &Contract, job: &JobView, then: OffsetDateTime) -> CheckResult {
    let Some(changed) = &job.updated_at else {
        return Ok(());
    };
    let changed = contract.time("the time at which a job changed", changed)?;
    ensure!(
        changed + CLOCKS_APART >= then,
        "a job whose bytes came at {then} and that is complete says that it changed at {changed}"
    );
    Ok(())
}

fn too_long(wait: Duration) -> Stop {
    Stop::precondition_missing(format!("to wait for {} s takes too long", wait.as_secs()))
}

/// Once its address has expired, an upload that never came fails and says why; the address takes nothing
/// any more, and the document may be sent again.
async fn an_upload_that_never_comes_fails(cx: &Context) -> CheckResult {
    let life = cx.contract().limits.url_ttl;
    if life > LONGEST_WAIT {
        return Err(too_long(life));
    }
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
        !says_when
            || accepted.expires_at(cx.contract())? <= OffsetDateTime::now_utc() + CLOCKS_APART,
        "a job gives up its bytes before the address for them expires"
    );
    let late = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        !late.is_success(),
        "an address that has expired takes bytes: {}",
        late.summary()
    );
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    ensure!(
        !cx.storage()?.exists(&raw).await?,
        "bytes are stored that came after their address had expired"
    );
    pipeline.complete(&document).await?;
    Ok(())
}

/// A reason why no address can be had.
pub(super) struct Unsigned {
    name: &'static str,
    behaviour: fn() -> StorageBehaviour,
}

impl Named for Unsigned {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Reasons why no address can be had.
const UNSIGNED: &[Unsigned] = &[
    Unsigned {
        name: "forbidden",
        behaviour: || refuse(403),
    },
    Unsigned {
        name: "broken",
        behaviour: || refuse(500),
    },
    Unsigned {
        name: "away",
        behaviour: || refuse(503),
    },
    Unsigned {
        name: "silent",
        behaviour: || StorageBehaviour::Hang,
    },
];

fn refuse(status: u16) -> StorageBehaviour {
    StorageBehaviour::Refuse {
        status,
        marker: "not today".to_owned(),
    }
}

/// Where no address can be had, the upload fails and leaves nothing, so that the next try succeeds.
async fn an_upload_without_a_signed_url_leaves_nothing(
    cx: &Context,
    case: &Unsigned,
) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let raw = cx
        .contract()
        .raw_path_ahead(tenant.user_id, document.sha256())?;
    let scope = format!("POST {raw}");
    let script = cx
        .standins()?
        .script_storage(scope, (case.behaviour)())
        .await?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let reply = pipeline.register(document.upload()).await?;
    ensure!(
        reply.status >= 500,
        "an upload for which there is no address is answered with {}",
        reply.summary()
    );
    expect_error_body(&reply, cx.contract())?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(
        rows.is_empty(),
        "an upload for which there is no address leaves a row"
    );
    script.withdraw().await?;
    pipeline.complete(&document).await?;
    Ok(())
}
