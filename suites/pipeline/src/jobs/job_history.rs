//! Traces: what a job leaves in the rows says what happened to it, when, and by whose work.

use std::collections::HashSet;
use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::EventRow;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour, StorageBehaviour};
use serde::Deserialize;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(chunks_name_their_chunker_and_model)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(failures_and_retries_leave_events)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(1))
            .severity(High),
        check!(events_of_two_uploads_name_two_requests)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(every_callback_is_logged)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(progress_shows_how_far_a_job_is)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(a_lease_is_renewed_while_its_job_is_worked_on)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .takes(secs(3))
            .severity(High)
            .advisory(),
    ]
}

/// Who made something, as a row tells it.
#[derive(Deserialize)]
struct Makers {
    job_id: Uuid,
    chunks_version: Option<String>,
    model: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct ChunkMakers {
    chunk_ord: i64,
    chunker: String,
    chunks_version: String,
    model: Option<String>,
    version: Option<String>,
    is_dated: bool,
}

const JOB_MAKERS: &str = "SELECT job_id, chunks_version::text, embed_model AS model, embed_version::text AS version \
    FROM {schema}.upload_jobs WHERE document_id = $1";

const CHUNK_MAKERS: &str = "SELECT chunk_ord, chunker_name AS chunker, chunker_version::text AS chunks_version, \
    embed_model AS model, embed_version::text AS version, embed_updated_at IS NOT NULL AS is_dated \
    FROM {schema}.document_chunks WHERE document_id = $1 ORDER BY chunk_ord";

/// Job and chunks of a complete document name the chunker and the model of the contract, and agree on the version.
async fn chunks_name_their_chunker_and_model(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let id = cx.pipeline()?.complete(&document).await?.document_id();
    let (chunker, embedder) = (&cx.contract().chunker, &cx.contract().embedder);
    let database = cx.database()?;
    let jobs: Vec<Makers> = database.rows(JOB_MAKERS, &[id.into()]).await?;
    let chunks: Vec<ChunkMakers> = database.rows(CHUNK_MAKERS, &[id.into()]).await?;
    for job in &jobs {
        ensure_eq!(
            (job.chunks_version.as_deref(), job.model.as_deref()),
            (
                Some(chunker.version.as_str()),
                Some(embedder.model.as_str())
            ),
            "the job names another chunker or model"
        );
        ensure_eq!(
            job.job_id.get_version_num(),
            4,
            "the id of the job is not one that nobody can guess"
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
            "chunk {ord} does not say when its vector was made"
        );
        let versions = jobs.iter().map(|job| &job.version);
        ensure!(
            chunk.version.is_some()
                && versions
                    .into_iter()
                    .all(|version| *version == chunk.version),
            "chunk {ord} does not say of which version its vector is: {:?}",
            chunk.version
        );
    }
    Ok(())
}

/// How often the parser fails.
const FAILURES: u32 = 2;

/// Each failure and each retry leaves an event of its kind, a failure no light one, and all of them name a request.
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
            "a job that failed {FAILURES} times leaves {} events of the kind '{kind}'",
            found.len()
        );
        let light = found
            .iter()
            .find(|event| event.severity.as_deref() == Some("info"));
        ensure!(
            kind != "error" || light.is_none(),
            "the event of a failure is as light as any other: {light:?}"
        );
    }
    the_repeated_stages_are_recorded(cx, &events)?;
    let unnamed = events.iter().find(|event| {
        let request = event.correlation_id.as_deref();
        request.unwrap_or_default().is_empty()
    });
    ensure!(unnamed.is_none(), "an event names no request: {unnamed:?}");
    Ok(())
}

/// What follows the last retry is recorded as it would be without one.
fn the_repeated_stages_are_recorded(cx: &Context, events: &[EventRow]) -> CheckResult {
    let vocabulary = &cx.contract().vocabulary;
    let retried = events.iter().rposition(|event| event.kind == "retry");
    let after = &events[retried.unwrap_or_default()..];
    // The parser had not taken the document before.
    for status in vocabulary.from(&vocabulary.parsed) {
        let is_recorded = after
            .iter()
            .any(|event| event.code.as_ref() == Some(status));
        ensure!(
            is_recorded,
            "a job that was tried again has no event of becoming '{status}'"
        );
    }
    Ok(())
}

/// What goes back to one request is told from what goes back to another.
async fn events_of_two_uploads_name_two_requests(cx: &Context) -> CheckResult {
    let mut named = Vec::new();
    for _ in 0..2 {
        let done = cx.pipeline()?.complete(&cx.document().build()).await?;
        let events = cx.database()?.events_of(done.job_id()).await?;
        let requests = events.into_iter().filter_map(|event| event.correlation_id);
        named.push(requests.collect::<HashSet<_>>());
    }
    let shared: Vec<_> = named[0].intersection(&named[1]).collect();
    ensure!(
        shared.is_empty(),
        "the events of two uploads name the same request: {shared:?}"
    );
    Ok(())
}

/// What the parser calls back is logged, each body once and told from the others, also where nothing comes of it.
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
            .expect_status(200)?;
        ensure!(
            logged().await? >= number,
            "a callback that changes nothing is not logged as one of its own"
        );
    }
    awaiting.complete(cx).await?;
    ensure!(
        logged().await? >= 3,
        "the callback that brought the text is not logged as one of its own"
    );
    Ok(())
}

/// A job that waits for the parser is further than one that waits for its bytes, and not yet at the end.
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
            "it waits for the parser",
            cx.contract().timing.complete_within,
            |job| {
                let state = job.state.as_deref();
                job.status == vocabulary.awaiting_callback
                    || vocabulary.is_final(&job.status, state)
            },
        )
        .await?;
    // A machine may be so busy that the parser was asked again, and answered.
    if job.status != vocabulary.awaiting_callback {
        return awaiting.complete(cx).await;
    }
    if let (Some(before), Some(now)) = (registered, job.total_percent) {
        ensure!(
            before < now && now < 100.0,
            "a job is at {before} percent without its bytes, and at {now} with the parser"
        );
    }
    awaiting.complete(cx).await
}

/// How long storage and parser each keep a worker waiting, under one claim.
const HELD_MS: u64 = 1_400;

/// How many documents are tried: a machine may be too busy to renew, or to look, for once.
const TRIES: usize = 3;

/// What a look at a claimed job shows, by the clock of the database.
#[derive(Clone, Copy, Deserialize)]
struct Held {
    /// For how long the job has been claimed, in seconds.
    held: f64,
    /// For how long the lease is good since the claim, in seconds.
    good: f64,
}

const HELD: &str = "SELECT extract(epoch FROM clock_timestamp() - claimed_at)::float8 AS held, \
    extract(epoch FROM lease_expires_at - claimed_at)::float8 AS good \
    FROM {schema}.upload_jobs WHERE job_id = $1 AND claimed_at IS NOT NULL";

/// A job that takes longer than a lease keeps its worker, who renews the lease in time.
async fn a_lease_is_renewed_while_its_job_is_worked_on(cx: &Context) -> CheckResult {
    let timing = &cx.contract().timing;
    let held = Duration::from_millis(2 * HELD_MS);
    if timing.lease > held || timing.provider_timeout.as_millis() <= HELD_MS.into() {
        return Err(Stop::precondition_missing(
            "a job cannot be held for longer than a lease",
        ));
    }
    let lease = timing.lease.as_secs_f64();
    let mut longest = 0.0_f64;
    for _ in 0..TRIES {
        let looks = looks_at_a_long_job(cx).await?;
        if looks.iter().any(|look| look.good > lease * 1.1) {
            return Ok(());
        }
        longest = looks.iter().map(|look| look.held).fold(longest, f64::max);
    }
    if longest < lease * 0.75 {
        return Err(Stop::precondition_missing(
            "no job was seen while it was held for long",
        ));
    }
    let summary = "a job is held for longer than its lease, which nobody renews";
    Err(Stop::violated(Finding::new(summary).comparing(
        "a lease that is renewed before it ends",
        format!("a claim of {longest:.1} s with its first lease of {lease:.1} s"),
    )))
}

/// Looks at a job that storage and parser hold up, until it is complete.
async fn looks_at_a_long_job(cx: &Context) -> CheckResult<Vec<Held>> {
    let (contract, tenant, standins) = (cx.contract(), cx.tenant()?, cx.standins()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = contract.raw_path(tenant.user_id, accepted.document_id);
    let raw = format!("GET {raw}");
    let late = StorageBehaviour::Late { delay_ms: HELD_MS };
    let reading = standins.script_storage(raw, late).times(1).await?;
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::Late { delay_ms: HELD_MS },
        ..ParserBehaviour::default()
    };
    let parsing = standins.script_parser(document.sha256(), behaviour);
    let parsing = parsing.times(1).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let (database, mut looks) = (cx.database()?, Vec::new());
    cx.eventually(
        "the long job ends",
        contract.timing.complete_within,
        async || {
            looks.extend(
                database
                    .rows::<Held>(HELD, &[accepted.job_id.into()])
                    .await?,
            );
            let job = pipeline.view(&accepted).await?;
            Ok((job.status == contract.vocabulary.complete).then_some(()))
        },
    )
    .await?;
    reading.withdraw().await?;
    parsing.withdraw().await?;
    Ok(looks)
}
