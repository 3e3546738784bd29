//! Job history: the rows of a job record what happened, when, and by which versions.

use std::collections::HashSet;
use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::EventRow;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour, StorageBehaviour};
use serde::Deserialize;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::expect_complete;

/// The columns that name the chunker and the model.
const NAMES: [cutover_harness::contract::Read; 8] = [
    read::job::CHUNKS_VERSION,
    read::job::EMBED_MODEL,
    read::job::EMBED_VERSION,
    read::chunk::CHUNKER_NAME,
    read::chunk::CHUNKER_VERSION,
    read::chunk::EMBED_MODEL,
    read::chunk::EMBED_VERSION,
    read::chunk::EMBED_UPDATED_AT,
];

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(chunks_name_their_chunker_and_model)
            .requires([Http, Database])
            .reads(NAMES)
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(failures_and_retries_leave_events)
            .requires([Http, Database, Storage, Standins])
            .reads([
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
                read::event::SEVERITY,
                read::event::CODE,
                read::event::CORRELATION_ID,
            ])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(High),
        check!(events_of_two_uploads_name_two_requests)
            .requires([Http, Database])
            .reads([read::event::CORRELATION_ID])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(every_callback_is_logged)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads([
                read::callback::PAYLOAD_HASH,
                read::callback::PROCESSED_AT,
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(progress_shows_how_far_a_job_is)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(a_lease_is_renewed_while_its_job_is_worked_on)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins])
            .reads([read::job::CLAIMED_AT, read::job::LEASE_EXPIRES_AT])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .occupies(Resource::Worker)
            .severity(High)
            .advisory(),
    ]
}

/// The versions in the row of a job.
#[derive(Deserialize)]
struct JobVersions {
    job_id: Uuid,
    chunks_version: Option<String>,
    model: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct ChunkVersions {
    chunk_ord: i64,
    chunker: String,
    chunks_version: String,
    model: Option<String>,
    version: Option<String>,
    is_dated: bool,
}

const JOB_VERSIONS: &str = "SELECT job_id, chunks_version::text, embed_model AS model, embed_version::text AS version \
    FROM {schema}.upload_jobs WHERE document_id = $1";

const CHUNK_VERSIONS: &str = "SELECT chunk_ord, chunker_name AS chunker, chunker_version::text AS chunks_version, \
    embed_model AS model, embed_version::text AS version, embed_updated_at IS NOT NULL AS is_dated \
    FROM {schema}.document_chunks WHERE document_id = $1 ORDER BY chunk_ord";

/// Job and chunks of a complete document name the contract's chunker and model, with the same version.
async fn chunks_name_their_chunker_and_model(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let id = cx.pipeline()?.complete(&document).await?.document_id();
    let (chunker, embedder) = (&cx.contract().chunker, &cx.contract().embedder);
    let database = cx.database()?;
    let jobs: Vec<JobVersions> = database.rows(JOB_VERSIONS, &[id.into()]).await?;
    let chunks: Vec<ChunkVersions> = database.rows(CHUNK_VERSIONS, &[id.into()]).await?;
    for job in &jobs {
        ensure_eq!(
            (job.chunks_version.as_deref(), job.model.as_deref()),
            (
                Some(chunker.version.as_str()),
                Some(embedder.model.as_str())
            ),
            "the job names another chunker version or model"
        );
        ensure_eq!(
            job.job_id.get_version_num(),
            4,
            "the id of the job is not a random UUID"
        );
    }
    for chunk in &chunks {
        let ord = chunk.chunk_ord;
        ensure_eq!(
            (chunk.chunker.as_str(), chunk.chunks_version.as_str()),
            (chunker.name.as_str(), chunker.version.as_str()),
            "chunk {ord} names another chunker"
        );
        ensure_eq!(
            chunk.model.as_deref(),
            Some(embedder.model.as_str()),
            "chunk {ord} names another model"
        );
        ensure!(
            chunk.is_dated,
            "chunk {ord} has no timestamp for its vector"
        );
        let versions = jobs.iter().map(|job| &job.version);
        ensure!(
            chunk.version.is_some()
                && versions
                    .into_iter()
                    .all(|version| *version == chunk.version),
            "chunk {ord} does not name the version of its vector's model: {:?}",
            chunk.version
        );
    }
    Ok(())
}

/// How often the parser fails.
const FAILURES: u32 = 2;

/// Each failure and retry leaves an event of its kind, failures have a severity above info, and all name a request.
async fn failures_and_retries_leave_events(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 500,
            marker: String::new(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .times(FAILURES)
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    let events = cx.database()?.events_of(accepted.job_id).await?;
    let known = &cx.contract().vocabulary.events;
    for (kind, least) in [("error", FAILURES), ("retry", FAILURES), ("finalized", 1)] {
        let found: Vec<&EventRow> = events.iter().filter(|event| event.kind == kind).collect();
        ensure!(
            !known.iter().any(|word| word == kind) || found.len() >= least as usize,
            "a job that failed {FAILURES} times has {} events of kind '{kind}'",
            found.len()
        );
        let info = found
            .iter()
            .find(|event| event.severity.as_deref() == Some("info"));
        ensure!(
            kind != "error" || info.is_none(),
            "the event of a failure has severity info: {info:?}"
        );
    }
    expect_events_after_retry(cx, &events)?;
    let without_id = events.iter().find(|event| {
        let request = event.correlation_id.as_deref();
        request.unwrap_or_default().is_empty()
    });
    ensure!(
        without_id.is_none(),
        "an event has no correlation id: {without_id:?}"
    );
    Ok(())
}

/// The stages after the last retry are recorded as without a retry.
fn expect_events_after_retry(cx: &Context, events: &[EventRow]) -> CheckResult {
    let vocabulary = &cx.contract().vocabulary;
    let retried = events.iter().rposition(|event| event.kind == "retry");
    let after = &events[retried.unwrap_or_default()..];
    // The parser did not accept the document before.
    for status in vocabulary.from(&vocabulary.parsed) {
        let is_recorded = after
            .iter()
            .any(|event| event.code.as_ref() == Some(status));
        ensure!(
            is_recorded,
            "a retried job has no event for status '{status}'"
        );
    }
    Ok(())
}

/// Events of different requests have different correlation ids.
async fn events_of_two_uploads_name_two_requests(cx: &Context) -> CheckResult {
    let mut correlation_ids = Vec::new();
    for _ in 0..2 {
        let done = cx.pipeline()?.complete(&cx.document().build()).await?;
        let events = cx.database()?.events_of(done.job_id()).await?;
        let requests = events.into_iter().filter_map(|event| event.correlation_id);
        correlation_ids.push(requests.collect::<HashSet<_>>());
    }
    let shared: Vec<_> = correlation_ids[0]
        .intersection(&correlation_ids[1])
        .collect();
    ensure!(
        shared.is_empty(),
        "the events of two uploads have the same correlation id: {shared:?}"
    );
    Ok(())
}

/// Every callback is logged once with its own hash, also if it changes nothing.
async fn every_callback_is_logged(cx: &Context) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let job = awaiting.accepted.job_id;
    let logged = async || {
        let query = "SELECT DISTINCT payload_hash FROM {schema}.webhook_log \
                     WHERE job_id = $1 AND processed_at IS NOT NULL AND payload_hash <> ''";
        CheckResult::Ok(cx.database()?.count(query, &[job.into()]).await?)
    };
    for (number, word) in (1..).zip(["reticulating", "pending"]) {
        let body = format!(r#"{{"status":"{word}"}}"#);
        awaiting
            .send(&body, &awaiting.proof(&body))
            .await?
            .expect_status(&cx.contract().statuses.callback_accepted)?;
        ensure!(
            logged().await? >= number,
            "a callback that changes nothing has no log entry of its own"
        );
    }
    awaiting.complete(cx).await?;
    ensure!(
        logged().await? >= 3,
        "the callback with the text has no log entry of its own"
    );
    Ok(())
}

/// The progress of a job that waits for the parser is above that of a job without bytes, and below 100 percent.
async fn progress_shows_how_far_a_job_is(cx: &Context) -> CheckResult {
    let vocabulary = &cx.contract().vocabulary;
    let waiting = cx.pipeline()?;
    let accepted = waiting.accept(cx.document().build().upload()).await?;
    let registered = waiting.view(&accepted).await?.total_percent;
    let awaiting = AwaitingCallback::new(cx).await?;
    let job = awaiting
        .pipeline
        .until(
            &awaiting.accepted,
            "the job waits for the parser",
            cx.contract().timing.complete_within,
            |job| {
                let state = job.state.as_deref();
                job.status == vocabulary.awaiting_callback
                    || vocabulary.is_final(&job.status, state)
            },
        )
        .await?;
    // On a busy machine the parser may have been called again and have answered.
    if job.status != vocabulary.awaiting_callback {
        return awaiting.complete(cx).await;
    }
    if let (Some(before), Some(now)) = (registered, job.total_percent) {
        ensure!(
            before < now && now < 100.0,
            "a job has {before} percent without its bytes, and {now} while it waits for the parser"
        );
    }
    awaiting.complete(cx).await
}

/// How long storage and parser each delay a worker within one claim.
const HELD_MS: u64 = 1_400;

/// Attempts: a busy machine may renew too late, or the check may look too rarely.
const TRIES: usize = 3;

/// One observation of a claimed job, by the clock of the database.
#[derive(Clone, Copy, Deserialize)]
struct Claim {
    /// Seconds since the claim.
    held: f64,
    /// Seconds from the claim to the expiry of the lease.
    lease: f64,
}

const CLAIM: &str = "SELECT extract(epoch FROM clock_timestamp() - claimed_at)::float8 AS held, \
    extract(epoch FROM lease_expires_at - claimed_at)::float8 AS lease \
    FROM {schema}.upload_jobs WHERE job_id = $1 AND claimed_at IS NOT NULL";

/// A job that takes longer than a lease keeps its worker, which renews the lease in time.
async fn a_lease_is_renewed_while_its_job_is_worked_on(cx: &Context) -> CheckResult {
    let timing = &cx.contract().timing;
    let held = Duration::from_millis(2 * HELD_MS);
    if timing.lease > held || timing.provider_timeout.as_millis() <= HELD_MS.into() {
        return Err(Stop::precondition_missing(
            "a job cannot be held longer than a lease",
        ));
    }
    let agreed = timing.lease.as_secs_f64();
    let mut longest = 0.0_f64;
    for _ in 0..TRIES {
        let observations = observe_delayed_job(cx).await?;
        if observations
            .iter()
            .any(|observation| observation.lease > agreed * 1.1)
        {
            return Ok(());
        }
        longest = observations
            .iter()
            .map(|observation| observation.held)
            .fold(longest, f64::max);
    }
    if longest < agreed * 0.75 {
        return Err(Stop::precondition_missing(
            "no job was observed while it was held",
        ));
    }
    let summary = "a job is held longer than its lease, and the lease is not renewed";
    Err(Stop::violated(Finding::new(summary).comparing(
        "a lease that is renewed before it expires",
        format!("a claim of {longest:.1} s with its first lease of {agreed:.1} s"),
    )))
}

/// Observes a job that storage and parser delay, until it is complete.
async fn observe_delayed_job(cx: &Context) -> CheckResult<Vec<Claim>> {
    let (contract, tenant, standins) = (cx.contract(), cx.tenant()?, cx.standins()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = contract.raw_path(tenant.user_id, accepted.document_id);
    let raw = format!("GET {raw}");
    let late = StorageBehaviour::Late { delay_ms: HELD_MS };
    let delayed_storage = standins.script_storage(raw, late).times(1).await?;
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::Late { delay_ms: HELD_MS },
        ..ParserBehaviour::default()
    };
    let delayed_parser = standins.script_parser(document.sha256(), behaviour);
    let delayed_parser = delayed_parser.times(1).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let (database, mut observations) = (cx.database()?, Vec::new());
    cx.eventually(
        "the delayed job completes",
        contract.timing.complete_within,
        async || {
            observations.extend(
                database
                    .rows::<Claim>(CLAIM, &[accepted.job_id.into()])
                    .await?,
            );
            let job = pipeline.view(&accepted).await?;
            Ok((job.status == contract.vocabulary.complete).then_some(()))
        },
    )
    .await?;
    delayed_storage.withdraw().await?;
    delayed_parser.withdraw().await?;
    Ok(observations)
}
