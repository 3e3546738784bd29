//! The queue: several workers share it, no work is done twice, and what waits costs nothing.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Completed;
use cutover_harness::identity::Tenant;
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, CallbackMoment, ParserBehaviour, ScriptGuard};
use futures::future::try_join_all;
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{search_hits, words};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(several_workers_do_each_job_once, CREWS)
            .requires([Http, Database, Standins, WorkerScale])
            .effect(Fault)
            .severity(Critical)
            .alone_with_workers(2),
        check!(waiting_jobs_do_not_hold_up_others)
            .requires([Http, Standins, Processes])
            .effect(Fault)
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_waiting_job_is_polled_at_the_interval)
            .requires([Http, Standins, Processes])
            .effect(Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(a_started_worker_takes_work_at_once)
            .requires([Http, Standins, Processes, WorkerStop])
            .effect(Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(an_idle_worker_polls_at_the_interval)
            .requires([Http, Database, Processes])
            .effect(Fault)
            .severity(High)
            .alone_with_workers(1)
            .untouched(),
    ]
}

/// How many workers share a queue.
pub(super) struct Crew {
    name: &'static str,
    workers: usize,
}

impl Named for Crew {
    fn name(&self) -> &'static str {
        self.name
    }
}

const CREWS: &[Crew] = &[
    Crew {
        name: "two",
        workers: 2,
    },
    Crew {
        name: "three",
        workers: 3,
    },
];

/// Enough users at once that workers which do not exclude each other meet.
const USERS: usize = 15;

/// One user with a few documents, and what has become of them.
struct Delivery {
    pipeline: Pipeline,
    documents: Vec<Document>,
    completed: Vec<Completed>,
}

/// Several workers complete everybody's documents: each is parsed and embedded once, and nobody sees another's.
async fn several_workers_do_each_job_once(cx: &Context, case: &Crew) -> CheckResult {
    cx.tell(Instruction::ScaleWorkers(case.workers)).await?;
    let each = cx.contract().limits.concurrent_jobs.min(2);
    let deliveries = try_join_all((0..USERS).map(async |_| {
        let pipeline = cx.pipeline()?;
        let documents: Vec<_> = (0..each)
            .map(|_| cx.document().paragraphs(6).build())
            .collect();
        let completed = try_join_all(documents.iter().map(|each| pipeline.complete(each))).await?;
        CheckResult::Ok(Delivery {
            pipeline,
            documents,
            completed,
        })
    }))
    .await?;
    for delivery in &deliveries {
        for (document, done) in delivery.documents.iter().zip(&delivery.completed) {
            was_done_once(cx, document, done).await?;
        }
        sees_only_its_own(cx, delivery).await?;
    }
    Ok(())
}

async fn was_done_once(cx: &Context, document: &Document, done: &Completed) -> CheckResult {
    let standins = cx.standins()?;
    let parsed = standins.parser_calls(document.sha256()).await?.len();
    ensure_eq!(
        parsed,
        1,
        "a document was not given to the parser exactly once by several workers"
    );
    let embedded = standins.embedder_calls(document.nonce()).await?.len();
    ensure_eq!(
        embedded,
        1,
        "a document was not embedded exactly once by several workers"
    );
    let database = cx.database()?;
    let events = database.events_of(done.job_id()).await?;
    let codes: Vec<_> = events
        .iter()
        .filter_map(|event| event.code.as_ref())
        .collect();
    let distinct: HashSet<_> = codes.iter().collect();
    ensure_eq!(
        codes.len(),
        distinct.len(),
        "a job went through a step twice: {codes:?}"
    );
    let chunks = database.chunks_of(done.document_id()).await?;
    let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    ensure_eq!(
        words(&joined),
        words(&document.expected_text()),
        "a document holds something else than its own text"
    );
    Ok(())
}

/// A search for what everybody has finds nothing that is another user's.
async fn sees_only_its_own(cx: &Context, delivery: &Delivery) -> CheckResult {
    let own: HashSet<_> = delivery
        .completed
        .iter()
        .map(|done| done.document_id().to_string())
        .collect();
    let id = &cx.contract().fields.search.document_id;
    for hit in search_hits(cx, &delivery.pipeline, "policy premium insured", 20).await? {
        let found = value_at(id, &hit, "a search result")?
            .as_str()
            .unwrap_or_default();
        ensure!(
            own.contains(found),
            "a search gives document {found}, which is another user's"
        );
    }
    Ok(())
}

/// More jobs than a worker takes on at once.
const WAITING: usize = 8;

/// Jobs that wait for their bytes or for their callback leave the worker free for others.
async fn waiting_jobs_do_not_hold_up_others(cx: &Context) -> CheckResult {
    let tenants: Vec<_> = (0..WAITING)
        .map(|_| cx.tenant())
        .collect::<CheckResult<_>>()?;
    let waits = try_join_all(tenants.iter().map(|tenant| waits_twice(cx, tenant))).await?;
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    let accepted = pipeline.upload(&document).await?;
    // Had they held the worker, it would have come after the first of them was given up.
    let timing = &cx.contract().timing;
    let within = timing.parse_deadline.min(cx.contract().limits.url_ttl) * 3 / 4;
    let what = "a document behind waiting ones is given to the parser";
    cx.eventually(what, within, async || {
        let calls = cx.standins()?.parser_calls(document.sha256()).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    pipeline.until_complete(&accepted).await?;
    for script in waits {
        script.withdraw().await?;
    }
    Ok(())
}

/// One job of the tenant waits for its bytes, another for its callback, as long as the script holds.
async fn waits_twice(cx: &Context, tenant: &Tenant) -> CheckResult<ScriptGuard> {
    let pipeline = cx.pipeline_as(tenant.clone())?;
    pipeline.accept(cx.document().build().upload()).await?;
    let document = cx.document().build();
    let silence = ParserBehaviour {
        callback: Callback {
            moment: CallbackMoment::Never,
            ..Callback::default()
        },
        ..ParserBehaviour::default()
    };
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), silence).await?;
    pipeline.upload(&document).await?;
    Ok(script)
}

/// How long a worker that has started may take to get to its first document.
const STARTED_WITHIN: Duration = Duration::from_secs(8);

/// How many starts are tried: a busy machine may make one of them slow.
const STARTS: usize = 2;

/// A worker that runs works: what waited for it is taken on as soon as it has started.
async fn a_started_worker_takes_work_at_once(cx: &Context) -> CheckResult {
    let within = STARTED_WITHIN + cx.contract().timing.poll_interval;
    let mut fastest = Duration::MAX;
    for _ in 0..STARTS {
        fastest = fastest.min(first_look(cx).await?);
        if fastest < within {
            return Ok(());
        }
    }
    let summary = format!(
        "a worker that has started takes its first document after {:.1} s at best",
        fastest.as_secs_f64()
    );
    Err(Stop::violated(Finding::new(summary)))
}

/// How long after its start a worker gives a document to the parser that waits for it.
async fn first_look(cx: &Context) -> CheckResult<Duration> {
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    // The worker that is stopped holds nothing that would have to be waited for.
    cx.tell(Instruction::StopWorkers).await?;
    let accepted = pipeline.upload(&document).await?;
    cx.tell(Instruction::StartWorkers).await?;
    let started = Instant::now();
    let within = cx.contract().timing.complete_within;
    cx.eventually("the parser is given the document", within, async || {
        let calls = cx.standins()?.parser_calls(document.sha256()).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    let took = started.elapsed();
    pipeline.until_complete(&accepted).await?;
    Ok(took)
}

/// How long a worker is watched that has nothing to do.
const WATCHED: Duration = Duration::from_secs(2);

/// Within this time the database has counted what was done before it.
const COUNTED: Duration = Duration::from_millis(1_200);

/// How many transactions a look at the queue may take.
const TRANSACTIONS: u64 = 4;

/// Waits for so long, because the time itself is what is measured; gives how many polls it was.
async fn watch(cx: &Context, what: &str, time: Duration) -> CheckResult<u64> {
    let began = Instant::now();
    let passed = async || Ok((began.elapsed() >= time).then(|| began.elapsed()));
    let passed = cx.eventually(what, time * 2, passed).await?;
    let interval = cx.contract().timing.poll_interval.as_millis().max(1);
    Ok(u64::try_from(passed.as_millis() / interval)?)
}

/// Bytes that are not there are asked for at the poll interval, and not in a spin.
async fn a_waiting_job_is_polled_at_the_interval(cx: &Context) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let object = contract.raw_path(tenant.user_id, accepted.document_id);
    let asked = async || CheckResult::Ok(cx.standins()?.storage_calls(&object).await?.len());
    let before = asked().await?;
    let polls = watch(cx, "the waiting job was watched", WATCHED).await?;
    let asked = asked().await? - before;
    // A busy machine makes the intervals longer, and some of them shorter.
    let most = usize::try_from(polls + polls / 4)? + 2;
    ensure!(
        asked <= most,
        "storage was asked {asked} times for bytes that were not there, in the time of {polls} polls"
    );
    Ok(())
}

/// A worker without work looks for some at the poll interval, and not in a spin.
async fn an_idle_worker_polls_at_the_interval(cx: &Context) -> CheckResult {
    watch(cx, "what was done before was counted", COUNTED).await?;
    let before = transactions(cx).await?;
    let polls = watch(cx, "the idle worker was watched", WATCHED).await?;
    let made = transactions(cx).await? - before;
    ensure!(
        made <= polls * TRANSACTIONS,
        "an idle pipeline made {made} transactions in the time of {polls} polls"
    );
    Ok(())
}

/// How many transactions the database has seen.
async fn transactions(cx: &Context) -> CheckResult<u64> {
    let query = "SELECT xact_commit + xact_rollback AS seen FROM pg_stat_database \
                 WHERE datname = current_database()";
    let rows: Vec<Value> = cx.database()?.rows(query, &[]).await?;
    Ok(rows
        .first()
        .and_then(|row| row["seen"].as_u64())
        .unwrap_or_default())
}
