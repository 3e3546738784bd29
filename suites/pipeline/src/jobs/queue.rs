//! Queue: several workers share it without repeating work, and waiting jobs cost few resources.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Completed;
use cutover_harness::identity::Tenant;
use cutover_harness::prelude::*;
use cutover_harness::standin::{ParserBehaviour, ScriptGuard};
use futures::future::try_join_all;
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{expect_whole_text, hits_if_searchable};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(several_workers_do_each_job_once, WORKER_COUNTS)
            .requires([Http, Database, Standins, WorkerScale])
            .reads([read::event::CODE, read::CHUNKS])
            .effect(Effect::Fault)
            .severity(Critical)
            .alone_with_workers(2),
        check!(waiting_jobs_do_not_hold_up_others)
            .requires([Http, Standins, Processes])
            .effect(Effect::Fault)
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_waiting_job_is_polled_at_the_interval)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Standins, Processes])
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(a_started_worker_takes_work_at_once)
            .requires([Http, Standins, Processes, WorkerStop])
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(an_idle_worker_polls_at_the_interval)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// A number of workers that share the queue.
pub(super) struct WorkerCount {
    name: &'static str,
    workers: usize,
}

impl Named for WorkerCount {
    fn name(&self) -> &'static str {
        self.name
    }
}

const WORKER_COUNTS: &[WorkerCount] = &[
    WorkerCount {
        name: "two",
        workers: 2,
    },
    WorkerCount {
        name: "three",
        workers: 3,
    },
];

/// Enough simultaneous users to reveal workers that do not exclude each other.
const USERS: usize = 15;

/// A user with a few documents and their results.
struct UserDocuments {
    pipeline: Pipeline,
    documents: Vec<Document>,
    completed: Vec<Completed>,
}

/// Several workers complete all documents: each is parsed and embedded once, and users find only their own.
async fn several_workers_do_each_job_once(cx: &Context, case: &WorkerCount) -> CheckResult {
    cx.control(ControlAction::ScaleWorkers(case.workers))
        .await?;
    let each = cx.contract().limits.concurrent_jobs.min(2);
    let deliveries = try_join_all((0..USERS).map(async |_| {
        let pipeline = cx.pipeline()?;
        let documents: Vec<_> = (0..each)
            .map(|_| cx.document().paragraphs(6).build())
            .collect();
        let completed = try_join_all(documents.iter().map(|each| pipeline.complete(each))).await?;
        CheckResult::Ok(UserDocuments {
            pipeline,
            documents,
            completed,
        })
    }))
    .await?;
    for delivery in &deliveries {
        for (document, done) in delivery.documents.iter().zip(&delivery.completed) {
            expect_processed_once(cx, document, done).await?;
        }
        expect_only_own_results(cx, delivery).await?;
    }
    Ok(())
}

async fn expect_processed_once(cx: &Context, document: &Document, done: &Completed) -> CheckResult {
    let standins = cx.standins()?;
    let parsed = standins.parser_calls(document.sha256()).await?.len();
    ensure_eq!(
        parsed,
        1,
        "a document was not submitted to the parser exactly once by several workers"
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
        "a job went through a status twice: {codes:?}"
    );
    let chunks = database.chunks_of(done.document_id()).await?;
    expect_whole_text(cx, &document.expected_text(), &chunks)
}

/// A search for common words returns no document of another user.
async fn expect_only_own_results(cx: &Context, delivery: &UserDocuments) -> CheckResult {
    let own: HashSet<_> = delivery
        .completed
        .iter()
        .map(|done| done.document_id().to_string())
        .collect();
    let id = &cx.contract().fields.search.document_id;
    for hit in hits_if_searchable(cx, &delivery.pipeline, "policy premium insured", 20).await? {
        let found = value_at(id, &hit, "a search result")?
            .as_str()
            .unwrap_or_default();
        ensure!(
            own.contains(found),
            "a search returns document {found} of another user"
        );
    }
    Ok(())
}

/// More jobs than a worker processes at once.
const WAITING: usize = 8;

/// Jobs that wait for bytes or for a callback do not block the worker.
async fn waiting_jobs_do_not_hold_up_others(cx: &Context) -> CheckResult {
    let tenants: Vec<_> = (0..WAITING)
        .map(|_| cx.tenant())
        .collect::<CheckResult<_>>()?;
    let scripts =
        try_join_all(tenants.iter().map(|tenant| create_waiting_jobs(cx, tenant))).await?;
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    let accepted = pipeline.upload(&document).await?;
    // If the waiting jobs blocked the worker, it would be free only after the first of them timed out.
    let timing = &cx.contract().timing;
    let limits = [timing.parse_deadline, cx.contract().limits.url_ttl];
    let limits = limits.into_iter().filter(|limit| !limit.is_zero());
    let within = limits.min().unwrap_or(timing.complete_within) * 3 / 4;
    let what = "a document behind waiting ones reaches the parser";
    cx.eventually(what, within, async || {
        let calls = cx.standins()?.parser_calls(document.sha256()).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    pipeline.until_complete(&accepted).await?;
    for script in scripts {
        script.withdraw().await?;
    }
    Ok(())
}

/// Creates one job that waits for its bytes and one that waits for its callback, as long as the script is active.
async fn create_waiting_jobs(cx: &Context, tenant: &Tenant) -> CheckResult<ScriptGuard> {
    let pipeline = cx.pipeline_as(tenant.clone())?;
    pipeline.accept(cx.document().build().upload()).await?;
    let document = cx.document().build();
    let silence = ParserBehaviour::silent();
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), silence).await?;
    pipeline.upload(&document).await?;
    Ok(script)
}

/// How long a new worker may take to process its first document.
const STARTED_WITHIN: Duration = Duration::from_secs(8);

/// Attempts: one start may be slow on a busy machine.
const STARTS: usize = 2;

/// A new worker processes waiting jobs immediately.
async fn a_started_worker_takes_work_at_once(cx: &Context) -> CheckResult {
    let within = STARTED_WITHIN + cx.contract().timing.poll_interval;
    let mut fastest = Duration::MAX;
    for _ in 0..STARTS {
        fastest = fastest.min(time_to_first_submission(cx).await?);
        if fastest < within {
            return Ok(());
        }
    }
    let summary = format!(
        "a new worker submits its first document after {:.1} s at best",
        fastest.as_secs_f64()
    );
    Err(Stop::violated(Finding::new(summary)))
}

/// The time from the start of a worker until it submits a waiting document to the parser.
async fn time_to_first_submission(cx: &Context) -> CheckResult<Duration> {
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    // The stopped worker holds no job, so no lease has to expire.
    cx.control(ControlAction::StopWorkers).await?;
    let accepted = pipeline.upload(&document).await?;
    cx.control(ControlAction::StartWorkers).await?;
    let started = Instant::now();
    let within = cx.contract().timing.complete_within;
    cx.eventually("the parser receives the document", within, async || {
        let calls = cx.standins()?.parser_calls(document.sha256()).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    let took = started.elapsed();
    pipeline.until_complete(&accepted).await?;
    Ok(took)
}

/// How long an idle worker is observed.
const OBSERVED: Duration = Duration::from_secs(2);

/// After this time, the database statistics include earlier transactions.
const STATISTICS_DELAY: Duration = Duration::from_millis(1_200);

/// The number of transactions that one poll of the queue may take.
const TRANSACTIONS: u64 = 4;

/// Waits this long, because the time itself is measured. Returns the number of poll intervals.
async fn observe(cx: &Context, what: &str, time: Duration) -> CheckResult<u64> {
    let began = Instant::now();
    let passed = async || Ok((began.elapsed() >= time).then(|| began.elapsed()));
    let passed = cx.eventually(what, time * 2, passed).await?;
    let interval = cx.contract().timing.poll_interval.as_millis().max(1);
    Ok(u64::try_from(passed.as_millis() / interval)?)
}

/// A missing object is requested once per poll interval.
async fn a_waiting_job_is_polled_at_the_interval(cx: &Context) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let object = contract.raw_path(tenant.user_id, accepted.document_id);
    let requests = async || CheckResult::Ok(cx.standins()?.storage_calls(&object).await?.len());
    let before = requests().await?;
    let polls = observe(cx, "the waiting job was observed", OBSERVED).await?;
    let requests = requests().await? - before;
    // On a busy machine some intervals are longer, and the next ones shorter.
    let most = usize::try_from(polls + polls / 4)? + 2;
    ensure!(
        requests <= most,
        "storage was called {requests} times for a missing object within {polls} poll intervals"
    );
    Ok(())
}

/// A worker without jobs polls the queue once per poll interval.
async fn an_idle_worker_polls_at_the_interval(cx: &Context) -> CheckResult {
    observe(cx, "the statistics are up to date", STATISTICS_DELAY).await?;
    let before = transactions(cx).await?;
    let polls = observe(cx, "the idle worker was observed", OBSERVED).await?;
    let made = transactions(cx).await? - before;
    ensure!(
        made <= polls * TRANSACTIONS,
        "an idle pipeline made {made} transactions within {polls} poll intervals"
    );
    Ok(())
}

/// The number of transactions in the database statistics.
async fn transactions(cx: &Context) -> CheckResult<u64> {
    let query = "SELECT xact_commit + xact_rollback AS seen FROM pg_stat_database \
                 WHERE datname = current_database()";
    let rows: Vec<Value> = cx.database()?.rows(query, &[]).await?;
    Ok(rows
        .first()
        .and_then(|row| row["seen"].as_u64())
        .unwrap_or_default())
}
