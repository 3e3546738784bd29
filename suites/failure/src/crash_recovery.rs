//! Crashes and farewells: a worker or the API goes, and every document still arrives, once.

use std::collections::HashSet;
use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, EventRow, JobRow};
use cutover_harness::stack::{Process, ProcessError, Stack, Worker};
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour,
};
use std::sync::Arc;

use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_killed_workers_job_is_finished_once, MOMENTS)
            .requires([Http, Database, Storage, Standins, WorkerStop])
            .effect(Fault)
            .takes(secs(3))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_worker_with_an_expired_lease_changes_nothing)
            .requires([Http, Database, Storage, Standins, WorkerPause, WorkerScale])
            .effect(Fault)
            .takes(secs(5))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_worker_shuts_down_gracefully, MOMENTS)
            .requires([Http, Database, Storage, Standins, Processes])
            .effect(Fault)
            .takes(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(accepted_documents_survive_an_api_restart)
            .requires([Http, ApiStop])
            .effect(Fault)
            .severity(Critical)
            .alone_with_workers(1),
        check!(the_api_shuts_down_gracefully)
            .requires([Http, Database, Storage, Standins, Processes])
            .effect(Fault)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// How long a provider keeps a worker waiting, so that there is time to do something to it.
const HELD_MS: u64 = 1_000;

/// What is granted beyond the grace for a machine that is busy.
const MARGIN: Duration = Duration::from_secs(3);

/// A moment in the life of a job.
pub(super) struct Moment {
    name: &'static str,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Parsing,
    Embedding,
}

impl Named for Moment {
    fn name(&self) -> &'static str {
        self.name
    }
}

const MOMENTS: &[Moment] = &[
    Moment {
        name: "while_parsing",
        stage: Stage::Parsing,
    },
    Moment {
        name: "while_embedding",
        stage: Stage::Embedding,
    },
];

/// A document in the middle of a stage, and who sent it.
struct Underway {
    document: Document,
    pipeline: Pipeline,
    accepted: Accepted,
    script: ScriptGuard,
}

impl Underway {
    /// Sends a document and waits until its worker waits for the provider of the stage.
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

    /// The document arrives, whole, and was finished once.
    async fn arrives_once(self, cx: &Context) -> CheckResult {
        self.pipeline.until_complete(&self.accepted).await?;
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        self.script.withdraw().await?;
        let events = cx.database()?.events_of(self.accepted.job_id).await?;
        let ends = events.iter().filter(|event| event.kind == "finalized");
        ensure_eq!(ends.count(), 1, "the job was not finished exactly once");
        goes_on_where_it_was(&events)?;
        let scope = Scope::users(self.pipeline.tenant().map(|tenant| tenant.user_id));
        invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
    }
}

/// Unless something failed in between, no step of a job is taken twice.
fn goes_on_where_it_was(events: &[EventRow]) -> CheckResult {
    let mut taken = HashSet::new();
    for event in events {
        if matches!(event.kind.as_str(), "retry" | "error") {
            taken.clear();
        } else if let Some(code) = &event.code {
            ensure!(
                taken.insert((&event.kind, code)),
                "a job takes the step '{code}' twice, although nothing had failed"
            );
        }
    }
    Ok(())
}

fn only_worker(stack: &Stack) -> CheckResult<Arc<Worker>> {
    let workers = stack.workers();
    let only = <[Arc<Worker>; 1]>::try_from(workers);
    only.map(|[worker]| worker)
        .map_err(|_| Stop::from(anyhow::anyhow!("the stack has not one worker")))
}

/// What a killed worker held is done by another, once its lease has ended, and ends as if nothing had happened.
async fn a_killed_workers_job_is_finished_once(cx: &Context, case: &Moment) -> CheckResult {
    let underway = Underway::reach(cx, case.stage).await?;
    cx.tell(Instruction::StopWorkers).await?;
    cx.tell(Instruction::StartWorkers).await?;
    underway.arrives_once(cx).await
}

/// Everything that the database holds about a job.
#[derive(PartialEq)]
struct Rows {
    job: Option<JobRow>,
    chunks: Vec<ChunkRow>,
    events: Vec<EventRow>,
}

impl Rows {
    async fn of(cx: &Context, accepted: &Accepted) -> CheckResult<Self> {
        let database = cx.database()?;
        Ok(Self {
            job: database.job(accepted.job_id).await?,
            chunks: database.chunks_of(accepted.document_id).await?,
            events: database.events_of(accepted.job_id).await?,
        })
    }
}

/// A worker that stood still while its lease ended finds that its job is done, and leaves it alone.
async fn a_worker_with_an_expired_lease_changes_nothing(cx: &Context) -> CheckResult {
    let underway = Underway::reach(cx, Stage::Embedding).await?;
    cx.tell(Instruction::PauseWorkers).await?;
    cx.tell(Instruction::ScaleWorkers(2)).await?;
    underway.pipeline.until_complete(&underway.accepted).await?;
    let before = Rows::of(cx, &underway.accepted).await?;
    cx.tell(Instruction::ResumeWorkers).await?;
    cx.tell(Instruction::ScaleWorkers(1)).await?;
    // It is alone now: whatever it does after this document, it has gone on with the old one first.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let after = Rows::of(cx, &underway.accepted).await?;
    ensure_eq!(
        after.job,
        before.job,
        "a worker without a lease changed a job that was done"
    );
    ensure_eq!(
        after.events,
        before.events,
        "a worker without a lease went on with a job that was done"
    );
    ensure!(
        after.chunks == before.chunks,
        "a worker without a lease changed the chunks of a document that had arrived"
    );
    underway.arrives_once(cx).await
}

/// A worker that is told to end does so in time, with success, and leaves no claim behind.
async fn a_worker_shuts_down_gracefully(cx: &Context, case: &Moment) -> CheckResult {
    let worker = only_worker(cx.processes()?)?;
    let underway = Underway::reach(cx, case.stage).await?;
    ends_well(cx, &worker).await?;
    let job = cx.database()?.job(underway.accepted.job_id).await?;
    let claim = job.and_then(|job| job.claimed_by);
    ensure_eq!(claim, None, "a worker that has ended still holds a job");
    worker.restart().await?;
    underway.arrives_once(cx).await
}

/// A process that is told to end does so within its grace, with success.
async fn ends_well(cx: &Context, process: &Process) -> CheckResult {
    let grace = cx.contract().timing.shutdown_grace + MARGIN;
    match process.terminate(grace).await {
        Err(still @ ProcessError::StillRunning { .. }) => {
            let summary = format!("{} does not end when it is told to", process.name());
            Err(Stop::violated(
                Finding::new(summary).comparing("an end within the grace", still.to_string()),
            ))
        }
        status => {
            let status = status?;
            ensure!(
                status.success(),
                "{}, told to end, ends with {status}",
                process.name()
            );
            Ok(())
        }
    }
}

/// What an API has accepted is known to the next one: its address takes the bytes, and the document arrives.
async fn accepted_documents_survive_an_api_restart(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(document.upload()).await?;
    cx.tell(Instruction::StopApi).await?;
    cx.tell(Instruction::StartApi).await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "an address given before the restart takes no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    Ok(())
}

/// An API that is told to end answers what it was asked, and then ends with success.
async fn the_api_shuts_down_gracefully(cx: &Context) -> CheckResult {
    let api = cx.processes()?.api();
    let (contract, standins, tenant) = (cx.contract(), cx.standins()?, cx.tenant()?);
    let document = cx.document().build();
    let raw = contract.raw_path_ahead(tenant.user_id, document.sha256())?;
    let signing = format!("POST {raw}");
    let late = StorageBehaviour::Late { delay_ms: HELD_MS };
    let script = standins
        .script_storage(signing.as_str(), late)
        .times(1)
        .await?;
    let pipeline = cx.pipeline_as(tenant)?;
    let end = async {
        let within = contract.timing.complete_within;
        cx.eventually("the request is under way", within, async || {
            let calls = standins.storage_calls(&signing).await?;
            Ok((!calls.is_empty()).then_some(()))
        })
        .await?;
        ends_well(cx, api).await
    };
    let (accepted, ended) = futures::join!(pipeline.accept(document.upload()), end);
    // What the user saw comes first: the end of the process is seen by operators alone.
    let accepted = accepted?;
    ended?;
    script.withdraw().await?;
    api.restart().await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "the address given by the ending API takes no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    Ok(())
}
