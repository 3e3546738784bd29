//! Process faults: the database, the workers or the API end while several documents are in different stages.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::stack::Worker;
use futures::future::try_join_all;
use futures::{join, try_join};

use crate::crash_recovery::shut_down;
use crate::flowing::{self, Flowing, all_complete_once, expect_no_idle_transaction};
use crate::job_rows::{ROWS, Rows};
use cutover_suite_support::idle_transactions::idle_transactions;
use cutover_suite_support::own_database::{DATABASE_ENDS_WITHIN, END_SESSIONS, pass, run_as_owner};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_restarted_database_loses_no_document, RESTARTS)
            .requires([Http, Database, Storage, Standins, Processes])
            .calls([Endpoint::Job])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(Critical)
            .alone_with_workers(2),
        check!(killed_workers_lose_no_document, KILLS)
            .requires([Http, Database, Storage, Standins, WorkerStop])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(2),
        check!(another_worker_replaces_a_frozen_one)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(ROWS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(2),
        check!(an_api_restart_in_a_burst_loses_no_registration)
            .requires([Http, Database, Storage, Standins, ApiStop])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_worker_shutdown_in_a_burst_costs_no_attempt)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(2),
    ]
}

/// How late a provider answers, so that its worker can be ended meanwhile.
const DELAY_MS: u64 = 800;

/// Documents in every stage: registered, submitted, with a callback that is still to come, and embedding.
async fn in_every_stage(cx: &Context) -> CheckResult<Vec<Flowing>> {
    let waiting = Flowing::registered(cx).await?;
    let (submitted, called_back, first, second) = try_join!(
        Box::pin(Flowing::submitted(cx, DELAY_MS)),
        Box::pin(Flowing::awaiting_callback(cx, 2 * DELAY_MS)),
        Box::pin(Flowing::embedding(cx, DELAY_MS)),
        Box::pin(Flowing::embedding(cx, DELAY_MS)),
    )?;
    Ok(vec![waiting, submitted, called_back, first, second])
}

/// Uploads this many documents of different users at one moment.
async fn burst(cx: &Context, count: usize) -> CheckResult<Vec<Flowing>> {
    try_join_all((0..count).map(|_| Flowing::uploaded(cx))).await
}

/// A way in which the server of the database is stopped.
pub(super) struct Restart {
    name: &'static str,
    /// Whether it does not end its transactions.
    immediate: bool,
}

impl Named for Restart {
    fn name(&self) -> &'static str {
        self.name
    }
}

const RESTARTS: &[Restart] = &[
    Restart {
        name: "fast",
        immediate: false,
    },
    Restart {
        name: "immediate",
        immediate: true,
    },
];

/// A server of a test does not wait for the disk at a commit. For a crash, the services ask it to keep what it confirms.
const DURABLE: [&str; 2] = [
    "ALTER ROLE {role} SET synchronous_commit = on",
    "ALTER ROLE {role} RESET synchronous_commit",
];

/// Changes a setting of the services' role, and ends their sessions, so that it takes effect.
async fn set_durable(cx: &Context, statement: &str) -> CheckResult {
    run_as_owner(cx, &[statement, END_SESSIONS]).await
}

/// Documents in every stage survive a restart of the database, whether or not it ends its transactions.
async fn a_restarted_database_loses_no_document(cx: &Context, case: &Restart) -> CheckResult {
    if !case.immediate {
        return restart_under_way(cx, case).await;
    }
    set_durable(cx, DURABLE[0]).await?;
    let outcome = restart_under_way(cx, case).await;
    set_durable(cx, DURABLE[1]).await?;
    outcome
}

async fn restart_under_way(cx: &Context, case: &Restart) -> CheckResult {
    let documents = in_every_stage(cx).await?;
    let database = cx.processes()?.postgres();
    if case.immediate {
        database.kill().await?;
    } else {
        database.terminate(DATABASE_ENDS_WITHIN).await?;
    }
    // Its bytes arrive while there is no database.
    documents[0].deliver().await?;
    database.start().await?;
    all_complete_once(cx, &documents).await?;
    expect_no_idle_transaction(cx).await
}

/// How often all workers are killed.
pub(super) struct Kills {
    name: &'static str,
    repeated: bool,
}

impl Named for Kills {
    fn name(&self) -> &'static str {
        self.name
    }
}

const KILLS: &[Kills] = &[
    Kills {
        name: "at_one_moment",
        repeated: false,
    },
    Kills {
        name: "again_and_again",
        repeated: true,
    },
];

/// The most kills in a row.
const MOST_KILLS: u32 = 5;

/// The documents that arrive before each of the repeated kills.
const ARRIVING: usize = 2;

/// Documents whose workers are killed, but not in each of their attempts, complete once.
async fn killed_workers_lose_no_document(cx: &Context, case: &Kills) -> CheckResult {
    // A document may be in progress at every kill, and has one attempt more than it has retries.
    let most = cx.contract().timing.max_retries.min(MOST_KILLS);
    if most == 0 {
        return Err(Stop::not_applicable("no document has a second attempt"));
    }
    let mut documents = in_every_stage(cx).await?;
    let kills = if case.repeated { most } else { 1 };
    for _ in 0..kills {
        cx.control(ControlAction::StopWorkers).await?;
        documents.extend(burst(cx, ARRIVING).await?);
        cx.control(ControlAction::StartWorkers).await?;
        is_begun(cx, documents.last()).await?;
    }
    documents[0].deliver().await?;
    all_complete_once(cx, &documents).await
}

/// Waits until a worker has begun the newest document, so that the next kill interrupts work.
async fn is_begun(cx: &Context, newest: Option<&Flowing>) -> CheckResult {
    let Some(newest) = newest else {
        return Ok(());
    };
    let (standins, within) = (cx.standins()?, cx.contract().timing.complete_within);
    cx.eventually("the newest document is begun", within, async || {
        let calls = standins.parser_calls(newest.document.sha256()).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await
}

/// Enough documents in the embedder for both workers to have some.
const SHARED: usize = 6;

/// A worker that is frozen for longer than its lease is replaced by one that is there already, and changes nothing later.
async fn another_worker_replaces_a_frozen_one(cx: &Context) -> CheckResult {
    let workers = cx.processes()?.workers();
    let Some(frozen) = workers.first() else {
        return Err(anyhow::anyhow!("the stack has no worker").into());
    };
    let documents = try_join_all((0..SHARED).map(|_| Flowing::embedding(cx, DELAY_MS))).await?;
    freeze(cx, frozen).await?;
    let taken_over = take_over(cx, &documents).await;
    frozen.resume().await?;
    let before = taken_over?;
    // Until the resumed worker has the newest document or sees it done, it has looked at its old ones.
    let after_it = Flowing::uploaded(cx).await?;
    after_it.pipeline.until_complete(&after_it.accepted).await?;
    for (document, before) in documents.iter().zip(before) {
        let after = Rows::of(cx, &document.accepted).await?;
        ensure!(
            after == before,
            "a worker that was frozen for longer than its lease changed a finished document"
        );
    }
    all_complete_once(cx, &documents).await
}

/// Freezes a worker outside of its transactions: nobody can take over a row that it has locked.
async fn freeze(cx: &Context, worker: &Worker) -> CheckResult {
    let within = cx.contract().timing.lease;
    let what = "a worker is frozen outside of its transactions";
    let frozen = cx.eventually(what, within, async || {
        worker.pause().await?;
        let first = idle_transactions(cx).await?;
        pass(cx, "an open transaction goes on", GOES_ON_WITHIN).await?;
        if first.is_disjoint(&idle_transactions(cx).await?) {
            return Ok(Some(()));
        }
        worker.resume().await?;
        Ok(None)
    });
    // That the moment cannot be found says nothing about the pipeline.
    frozen
        .await
        .map_err(|stop| anyhow::anyhow!(stop.summary()).into())
}

/// How long a worker that is not frozen leaves a transaction idle at most, on a busy machine.
const GOES_ON_WITHIN: Duration = Duration::from_millis(100);

/// All documents complete while the worker is frozen; returns their rows.
async fn take_over(cx: &Context, documents: &[Flowing]) -> CheckResult<Vec<Rows>> {
    let mut rows = Vec::new();
    for document in documents {
        document.pipeline.until_complete(&document.accepted).await?;
        rows.push(Rows::of(cx, &document.accepted).await?);
    }
    Ok(rows)
}

/// The clients that upload at one moment.
const CLIENTS: usize = 10;

/// An API that ends in the middle of a burst loses nothing that it has accepted: clients repeat their requests.
async fn an_api_restart_in_a_burst_loses_no_registration(cx: &Context) -> CheckResult {
    let waiting = Flowing::registered(cx).await?;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| Ok((cx.pipeline()?, cx.document().paragraphs(8).build())))
        .collect::<CheckResult<_>>()?;
    let restart = async {
        cx.control(ControlAction::StopApi).await?;
        cx.control(ControlAction::StartApi).await
    };
    let uploads = clients
        .into_iter()
        .map(|(pipeline, document)| upload_until_accepted(cx, pipeline, document));
    let (uploaded, restarted) = join!(try_join_all(uploads), restart);
    restarted?;
    waiting.deliver().await?;
    let documents: Vec<_> = uploaded?.into_iter().flatten().chain([waiting]).collect();
    all_complete_once(cx, &documents).await
}

/// Registers a document until it is accepted, and uploads it. Nothing if only the answer to the registration was lost.
async fn upload_until_accepted(
    cx: &Context,
    pipeline: Pipeline,
    document: Document,
) -> CheckResult<Option<Flowing>> {
    let statuses = &cx.contract().statuses;
    let within = cx.contract().timing.complete_within;
    let mut attempts = 0;
    let reply = cx
        .eventually("a repeated registration is accepted", within, async || {
            attempts += 1;
            registration(cx, &pipeline, &document).await
        })
        .await?;
    if attempts > 1 && statuses.duplicate.include(reply.status) {
        return Ok(None);
    }
    let reply = reply.expect_status(&statuses.accepted)?;
    let accepted = Accepted::read(&reply, cx.contract())?;
    pipeline.deliver(&accepted, document.upload()).await?;
    Ok(Some(Flowing::accepted(&pipeline, document, accepted)))
}

/// One attempt to register. No answer, half an answer and a 5xx mean *not yet*.
async fn registration(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
) -> CheckResult<Poll<Response>> {
    let within = cx.contract().timing.provider_timeout * 2;
    let attempt = pipeline.try_register(document.upload(), within).await?;
    Ok(match attempt {
        Ok(reply) if reply.status >= 500 => Poll::Pending(reply.summary()),
        Ok(reply) => Poll::Ready(reply),
        Err(lost) => Poll::Pending(lost.to_string()),
    })
}

/// The documents that arrive when a worker shuts down.
const ARRIVING_AT_SHUTDOWN: usize = 8;

/// A worker that shuts down in a burst exits with success, and no document counts a failed attempt for it.
async fn a_worker_shutdown_in_a_burst_costs_no_attempt(cx: &Context) -> CheckResult {
    let workers = cx.processes()?.workers();
    let Some(ending) = workers.first() else {
        return Err(anyhow::anyhow!("the stack has no worker").into());
    };
    let mut documents = try_join_all((0..SHARED).map(|_| Flowing::embedding(cx, DELAY_MS))).await?;
    let (arrived, ended) = join!(burst(cx, ARRIVING_AT_SHUTDOWN), shut_down(cx, ending));
    documents.extend(arrived?);
    ending.start().await?;
    ended?;
    for document in &documents {
        document.completes_undisturbed(cx).await?;
    }
    all_complete_once(cx, &documents).await
}
