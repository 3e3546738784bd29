//! Crash recovery and graceful shutdown: a worker or the API stops, and every document still completes once.

use std::collections::HashSet;
use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, JobView};
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::probe::EventRow;
use cutover_harness::stack::{Service, ServiceError, Stack, Worker};
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour,
};
use std::sync::Arc;

use crate::job_rows::{ROWS, Rows};
use cutover_suite_support::outcomes::{self, expect_complete, expect_failure, expect_not_indexed};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_killed_workers_job_is_finished_once, INTERRUPTIONS)
            .requires([Http, Database, Storage, Standins, WorkerStop])
            .reads([
                read::DOCUMENTS,
                read::JOBS,
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
                read::event::CODE,
            ])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_worker_with_an_expired_lease_changes_nothing)
            .requires([Http, Database, Storage, Standins, WorkerPause, WorkerScale])
            .reads(ROWS)
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_worker_shuts_down_gracefully, INTERRUPTIONS)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads([
                read::DOCUMENTS,
                read::job::CLAIMED_BY,
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
                read::event::CODE,
            ])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(a_job_whose_worker_always_dies_is_given_up, DEATHS)
            .requires([Http, Database, Storage, Standins, WorkerStop])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::Fault)
            .expected_duration(secs(15))
            .severity(Critical)
            .alone_with_workers(1),
        check!(accepted_documents_survive_an_api_restart)
            .requires([Http, ApiStop])
            .effect(Effect::Fault)
            .severity(Critical)
            .alone_with_workers(1),
        check!(the_api_shuts_down_gracefully)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(outcomes::COMPLETE)
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// How long a provider delays its response, so that the check can act on the waiting worker.
const HELD_MS: u64 = 1_000;

/// Extra time for a busy machine, on top of the shutdown grace period.
const MARGIN: Duration = Duration::from_secs(3);

/// A stage in which the worker is interrupted.
pub(super) struct Interruption {
    name: &'static str,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Parsing,
    Embedding,
}

impl Named for Interruption {
    fn name(&self) -> &'static str {
        self.name
    }
}

const INTERRUPTIONS: &[Interruption] = &[
    Interruption {
        name: "while_parsing",
        stage: Stage::Parsing,
    },
    Interruption {
        name: "while_embedding",
        stage: Stage::Embedding,
    },
];

/// A document in the middle of a stage, and the client of its owner.
struct InProgress {
    document: Document,
    pipeline: Pipeline,
    accepted: Accepted,
    script: ScriptGuard,
}

impl InProgress {
    /// Uploads a document and waits until its worker waits for the provider of the stage.
    async fn reach(cx: &Context, stage: Stage) -> CheckResult<Self> {
        let document = cx.document().paragraphs(8).build();
        let standins = cx.standins()?;
        let script = match stage {
            Stage::Parsing => {
                let late = ParserBehaviour {
                    answer: ParserAnswer::Late { delay_ms: HELD_MS },
                    ..ParserBehaviour::default()
                };
                standins
                    .script_parser(document.sha256(), late)
                    .times(1)
                    .await?
            }
            Stage::Embedding => {
                let late = EmbedderBehaviour::Late { delay_ms: HELD_MS };
                standins
                    .script_embedder(document.nonce(), late)
                    .times(1)
                    .await?
            }
        };
        let pipeline = cx.pipeline()?;
        let accepted = pipeline.upload(&document).await?;
        let within = cx.contract().timing.complete_within;
        cx.eventually("the worker waits for the provider", within, async || {
            let calls = match stage {
                Stage::Parsing => standins.parser_calls(document.sha256()).await?.len(),
                Stage::Embedding => standins.embedder_calls(document.nonce()).await?.len(),
            };
            Ok((calls > 0).then_some(()))
        })
        .await?;
        Ok(Self {
            document,
            pipeline,
            accepted,
            script,
        })
    }

    /// The document completes, and was finalized once.
    async fn completes_once(self, cx: &Context) -> CheckResult {
        self.pipeline.until_complete(&self.accepted).await?;
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        self.script.withdraw().await?;
        let events = cx.database()?.events_of(self.accepted.job_id).await?;
        let ends = events.iter().filter(|event| event.kind == "finalized");
        ensure_eq!(ends.count(), 1, "the job was not finalized exactly once");
        expect_no_repeated_step(&events)?;
        let scope = Scope::users(self.pipeline.tenant().map(|tenant| tenant.user_id));
        invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
    }
}

/// No step of a job is repeated, except after a failure.
pub(crate) fn expect_no_repeated_step(events: &[EventRow]) -> CheckResult {
    let mut taken = HashSet::new();
    for event in events {
        if matches!(event.kind.as_str(), "retry" | "error") {
            taken.clear();
        } else if let Some(code) = &event.code {
            ensure!(
                taken.insert((&event.kind, code)),
                "a job repeats the step '{code}' without a failure in between"
            );
        }
    }
    Ok(())
}

fn only_worker(stack: &Stack) -> CheckResult<Arc<Worker>> {
    let workers = stack.workers();
    let only = <[Arc<Worker>; 1]>::try_from(workers);
    only.map(|[worker]| worker).map_err(|_| {
        Stop::from(anyhow::anyhow!(
            "the stack does not have exactly one worker"
        ))
    })
}

/// Another worker finishes the job of a killed worker after the lease expires, exactly once.
async fn a_killed_workers_job_is_finished_once(cx: &Context, case: &Interruption) -> CheckResult {
    let document = InProgress::reach(cx, case.stage).await?;
    cx.control(ControlAction::StopWorkers).await?;
    cx.control(ControlAction::StartWorkers).await?;
    document.completes_once(cx).await
}

/// A stage in which a document stops its worker each time.
pub(super) struct Death {
    name: &'static str,
    stage: DeadlyStage,
}

#[derive(Clone, Copy, PartialEq)]
enum DeadlyStage {
    Parsing,
    ReadingText,
    Embedding,
}

impl Named for Death {
    fn name(&self) -> &'static str {
        self.name
    }
}

const DEATHS: &[Death] = &[
    Death {
        name: "while_parsing",
        stage: DeadlyStage::Parsing,
    },
    Death {
        name: "while_reading_the_text",
        stage: DeadlyStage::ReadingText,
    },
    Death {
        name: "while_embedding",
        stage: DeadlyStage::Embedding,
    },
];

/// The times of a stage's calls for a document: one for each attempt.
async fn attempts(
    cx: &Context,
    stage: DeadlyStage,
    document: &Document,
    text: &str,
) -> CheckResult<usize> {
    let standins = cx.standins()?;
    Ok(match stage {
        DeadlyStage::Parsing => standins.parser_calls(document.sha256()).await?.len(),
        DeadlyStage::ReadingText => standins.storage_calls(text).await?.len(),
        DeadlyStage::Embedding => standins.embedder_calls(document.nonce()).await?.len(),
    })
}

/// Makes the provider of a stage silent for a document.
async fn silence(
    cx: &Context,
    stage: DeadlyStage,
    document: &Document,
    text: &str,
) -> CheckResult<ScriptGuard> {
    let standins = cx.standins()?;
    Ok(match stage {
        DeadlyStage::Parsing => {
            let behaviour = ParserBehaviour {
                answer: ParserAnswer::Hang,
                ..ParserBehaviour::default()
            };
            standins.script_parser(document.sha256(), behaviour).await?
        }
        DeadlyStage::ReadingText => {
            standins
                .script_storage(text, StorageBehaviour::Hang)
                .await?
        }
        DeadlyStage::Embedding => {
            standins
                .script_embedder(document.nonce(), EmbedderBehaviour::Hang)
                .await?
        }
    })
}

/// Kills every worker that begins an attempt, until the job has ended.
async fn kill_each_worker(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    attempts: impl AsyncFn() -> CheckResult<usize>,
) -> CheckResult<JobView> {
    let timing = &cx.contract().timing;
    let allowed = 1 + timing.max_retries as usize;
    let within = timing.lease + timing.retry_cap + timing.complete_within;
    let vocabulary = &cx.contract().vocabulary;
    let mut seen = 0;
    loop {
        let ended = cx
            .eventually("the job is tried again, or given up", within, async || {
                let job = pipeline.view(accepted).await?;
                if vocabulary.is_final(&job.status, job.state.as_deref()) {
                    return Ok(Some(Some(job)));
                }
                let now = attempts().await?;
                let is_new = now > seen;
                seen = now;
                Ok(is_new.then_some(None))
            })
            .await?;
        if let Some(job) = ended {
            return Ok(job);
        }
        ensure!(
            seen <= allowed,
            "a job whose worker died in each of {allowed} attempts is tried again"
        );
        cx.control(ControlAction::StopWorkers).await?;
        cx.control(ControlAction::StartWorkers).await?;
    }
}

/// A document during which every worker dies uses up its attempts, and then fails with a cause; others are not
/// affected.
async fn a_job_whose_worker_always_dies_is_given_up(cx: &Context, case: &Death) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().paragraphs(8).build();
    let user = tenant.user_id;
    let pipeline = cx.pipeline_as(tenant)?;
    let accepted = pipeline.accept(document.upload()).await?;
    let text = format!("GET {}", contract.parsed_path(user, accepted.document_id));
    let script = silence(cx, case.stage, &document, &text).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let job = kill_each_worker(cx, &pipeline, &accepted, async || {
        attempts(cx, case.stage, &document, &text).await
    })
    .await?;
    script.withdraw().await?;
    let failures = &contract.vocabulary.failures;
    let failed = match case.stage {
        DeadlyStage::Embedding => &failures.embedding,
        // The text is read in more than one stage.
        DeadlyStage::ReadingText if job.status == failures.chunking => &failures.chunking,
        DeadlyStage::Parsing | DeadlyStage::ReadingText => &failures.parse,
    };
    expect_failure(cx, &pipeline, &accepted, failed).await?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await?;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    Ok(())
}

/// A worker that was paused until its lease expired does not change a job that another worker has finished.
async fn a_worker_with_an_expired_lease_changes_nothing(cx: &Context) -> CheckResult {
    let document = InProgress::reach(cx, Stage::Embedding).await?;
    cx.control(ControlAction::PauseWorkers).await?;
    cx.control(ControlAction::ScaleWorkers(2)).await?;
    document.pipeline.until_complete(&document.accepted).await?;
    let before = Rows::of(cx, &document.accepted).await?;
    cx.control(ControlAction::ResumeWorkers).await?;
    cx.control(ControlAction::ScaleWorkers(1)).await?;
    // Only this worker is left: before it processes this document, it has resumed the old job.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let after = Rows::of(cx, &document.accepted).await?;
    ensure_eq!(
        after.job,
        before.job,
        "a worker with an expired lease changed a finished job"
    );
    ensure_eq!(
        after.events,
        before.events,
        "a worker with an expired lease added events to a finished job"
    );
    ensure!(
        after.chunks == before.chunks,
        "a worker with an expired lease changed the chunks of a complete document"
    );
    document.completes_once(cx).await
}

/// A worker that receives SIGTERM exits in time, with success, and releases its jobs.
async fn a_worker_shuts_down_gracefully(cx: &Context, case: &Interruption) -> CheckResult {
    let worker = only_worker(cx.processes()?)?;
    let document = InProgress::reach(cx, case.stage).await?;
    shut_down(cx, &worker).await?;
    let job = cx.database()?.job(document.accepted.job_id).await?;
    let claim = job.and_then(|job| job.claimed_by);
    ensure_eq!(claim, None, "a worker that has exited still holds a job");
    worker.restart().await?;
    document.completes_once(cx).await
}

/// A process that receives SIGTERM exits with success within the grace period.
pub(crate) async fn shut_down(cx: &Context, process: &Service) -> CheckResult {
    let grace = cx.contract().timing.shutdown_grace + MARGIN;
    match process.terminate(grace).await {
        Err(still @ ServiceError::StillRunning { .. }) => {
            let summary = format!("{} does not exit after SIGTERM", process.name());
            Err(Stop::violated(Finding::new(summary).comparing(
                "an exit within the grace period",
                still.to_string(),
            )))
        }
        status => {
            let status = status?;
            ensure!(
                status.success(),
                "{} exits after SIGTERM with {status}",
                process.name()
            );
            Ok(())
        }
    }
}

/// A registration survives a restart of the API: its signed URL accepts the bytes, and the document completes.
async fn accepted_documents_survive_an_api_restart(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(document.upload()).await?;
    cx.control(ControlAction::StopApi).await?;
    cx.control(ControlAction::StartApi).await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "a signed URL from before the restart accepts no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    Ok(())
}

/// An API that receives SIGTERM answers its open requests and exits with success.
async fn the_api_shuts_down_gracefully(cx: &Context) -> CheckResult {
    let api = cx.processes()?.api();
    let (contract, standins, tenant) = (cx.contract(), cx.standins()?, cx.tenant()?);
    let document = cx.document().build();
    let raw = contract.expected_raw_path(tenant.user_id, document.sha256())?;
    let signing = format!("POST {raw}");
    let late = StorageBehaviour::Late { delay_ms: HELD_MS };
    let script = standins
        .script_storage(signing.as_str(), late)
        .times(1)
        .await?;
    let pipeline = cx.pipeline_as(tenant)?;
    let end = async {
        let within = contract.timing.complete_within;
        cx.eventually("the request reaches the storage", within, async || {
            let calls = standins.storage_calls(&signing).await?;
            Ok((!calls.is_empty()).then_some(()))
        })
        .await?;
        shut_down(cx, api).await
    };
    let (accepted, ended) = futures::join!(pipeline.accept(document.upload()), end);
    // The user's request comes first: a failed shutdown is seen by operators only.
    let accepted = accepted?;
    ended?;
    script.withdraw().await?;
    api.restart().await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "the signed URL from the stopping API accepts no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    Ok(())
}
