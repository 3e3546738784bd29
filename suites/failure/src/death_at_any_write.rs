//! Death at any write: a process that dies before a write, or before its commit, leaves a document that completes.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Read};
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::probe::EventRow;
use futures::future::try_join_all;

use cutover_suite_support::outcomes::expect_complete;
use cutover_suite_support::write_stops::{WriteStop, WriteStops};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_worker_that_dies_at_any_write_loses_nothing, WRITES)
            .requires([Http, Database, Storage, Processes, WorkerStop])
            .reads(READS)
            .effect(Effect::Fault)
            .expected_duration(secs(8))
            .severity(Critical)
            .alone_with_workers(3),
        check!(an_api_that_dies_at_any_write_loses_nothing)
            .requires([Http, Database, Storage, Processes, ApiStop])
            .reads(READS)
            .effect(Effect::Fault)
            .expected_duration(secs(12))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// What [`expect_complete`] and the comparison of a document with its job and its history read.
const READS: [Read; 5] = [
    read::document::PROCESSING_STATUS,
    read::job::STATE,
    read::CHUNKS,
    read::chunk::EMBEDDING.if_given(),
    read::event::CODE,
];

/// The writes of a kind.
pub(super) struct Writes {
    name: &'static str,
    /// The table.
    relation: &'static str,
    at_commit: bool,
}

impl Named for Writes {
    fn name(&self) -> &'static str {
        self.name
    }
}

const WRITES: &[Writes] = &[
    Writes {
        name: "of_the_document",
        relation: "documents",
        at_commit: false,
    },
    Writes {
        name: "of_the_job",
        relation: "upload_jobs",
        at_commit: false,
    },
    Writes {
        name: "of_the_event",
        relation: "events",
        at_commit: false,
    },
    Writes {
        name: "at_the_commit",
        relation: "upload_jobs",
        at_commit: true,
    },
    Writes {
        name: "of_chunks_and_vectors",
        relation: "document_chunks",
        at_commit: false,
    },
];

impl Writes {
    /// Every write of the kind that a worker makes.
    fn stops(&self, cx: &Context) -> Vec<WriteStop> {
        let vocabulary = &cx.contract().vocabulary;
        let words: Vec<String> = if self.relation == "document_chunks" {
            ["insert 0", "insert 1", "update 0", "update 1"]
                .map(str::to_owned)
                .to_vec()
        } else {
            let statuses = vocabulary.statuses.iter();
            let of_worker = statuses.filter(|status| {
                **status != vocabulary.registered && **status != vocabulary.parsed
            });
            of_worker.cloned().collect()
        };
        words
            .into_iter()
            .map(|word| WriteStop {
                relation: self.relation,
                word,
                at_commit: self.at_commit,
            })
            .collect()
    }
}

/// A document with a stop at one of its writes.
struct Stopped {
    pipeline: Pipeline,
    document: Document,
    accepted: Accepted,
    stop: WriteStop,
}

impl Stopped {
    async fn upload(cx: &Context, stops: &WriteStops<'_>, stop: WriteStop) -> CheckResult<Self> {
        let (pipeline, document) = (cx.pipeline()?, cx.document().paragraphs(12).build());
        let accepted = pipeline.accept(document.upload()).await?;
        stops.stop(accepted.document_id, &stop).await?;
        pipeline.deliver(&accepted, document.upload()).await?;
        Ok(Self {
            pipeline,
            document,
            accepted,
            stop,
        })
    }

    fn what(&self) -> String {
        let WriteStop {
            relation,
            word,
            at_commit,
        } = &self.stop;
        let place = if *at_commit {
            "the commit of"
        } else {
            "the write of"
        };
        format!("a document whose process died at {place} '{word}' in {relation}")
    }

    async fn is_final(&self, cx: &Context) -> CheckResult<bool> {
        let job = cx.database()?.job(self.accepted.job_id).await?;
        let states = &cx.contract().vocabulary.final_states;
        let state = job.and_then(|job| job.state);
        Ok(state.is_some_and(|state| states.contains(&state)))
    }

    /// The document is complete, was finalized once, and no step is recorded twice.
    async fn completes_once(&self, cx: &Context) -> CheckResult {
        let job = self.pipeline.until_final(&self.accepted).await?;
        ensure_eq!(
            job.status,
            cx.contract().vocabulary.complete,
            "{} does not complete",
            self.what()
        );
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        let database = cx.database()?;
        let row = database.document(self.accepted.document_id).await?;
        ensure_eq!(
            row.and_then(|row| row.processing_status)
                .unwrap_or_default(),
            cx.contract().vocabulary.complete,
            "{}: the document and its job disagree",
            self.what()
        );
        let events = database.events_of(self.accepted.job_id).await?;
        self.expect_each_step_once(cx, &events)
    }

    fn expect_each_step_once(&self, cx: &Context, events: &[EventRow]) -> CheckResult {
        if events.iter().any(|event| event.kind == "error") {
            // After a failure, steps are repeated.
            return Ok(());
        }
        for status in &cx.contract().vocabulary.statuses {
            let of_status = events
                .iter()
                .filter(|event| event.kind != "retry" && event.code.as_ref() == Some(status));
            ensure_eq!(
                of_status.count(),
                1,
                "{}: the step '{status}' is not recorded exactly once",
                self.what()
            );
        }
        Ok(())
    }
}

/// Waits until each document has reached its stop, or has ended without it.
async fn all_stopped(cx: &Context, stops: &WriteStops<'_>, documents: &[Stopped]) -> CheckResult {
    let within = cx.contract().timing.complete_within;
    cx.eventually("every document reaches its stop", within, async || {
        let mut settled = stops.waiting().await?;
        for each in documents {
            settled += usize::from(each.is_final(cx).await?);
        }
        Ok(if settled >= documents.len() {
            Poll::Ready(())
        } else {
            Poll::Pending(format!("{settled} of {}", documents.len()))
        })
    })
    .await
}

async fn complete_all(cx: &Context, documents: &[Stopped]) -> CheckResult {
    for each in documents {
        each.completes_once(cx).await?;
    }
    let users = documents.iter().filter_map(|each| each.pipeline.tenant());
    let scope = Scope::users(users.map(|tenant| tenant.user_id));
    invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
}

/// A worker that is killed at a write leaves nothing half done: the document completes once, with one event a step.
async fn a_worker_that_dies_at_any_write_loses_nothing(cx: &Context, case: &Writes) -> CheckResult {
    let stops = WriteStops::add(cx).await?;
    let outcome = kill_workers_at(cx, &stops, case).await;
    stops.remove().await?;
    outcome
}

async fn kill_workers_at(cx: &Context, stops: &WriteStops<'_>, case: &Writes) -> CheckResult {
    let uploads = case.stops(cx).into_iter();
    let documents = try_join_all(uploads.map(|stop| Stopped::upload(cx, stops, stop))).await?;
    all_stopped(cx, stops, &documents).await?;
    cx.control(ControlAction::StopWorkers).await?;
    stops.end_transactions().await?;
    cx.control(ControlAction::StartWorkers).await?;
    complete_all(cx, &documents).await
}

/// The writes of a registration and of a callback.
const API_WRITES: [(&str, bool); 4] = [
    ("documents", false),
    ("upload_jobs", false),
    ("events", false),
    ("upload_jobs", true),
];

/// An API that is killed at a write of a registration or of a callback leaves nothing half done.
async fn an_api_that_dies_at_any_write_loses_nothing(cx: &Context) -> CheckResult {
    let stops = WriteStops::add(cx).await?;
    let mut outcome = kill_api_in_registrations(cx, &stops).await;
    if outcome.is_ok() {
        outcome = kill_api_in_callbacks(cx, &stops).await;
    }
    stops.remove().await?;
    outcome
}

async fn kill_api_in_callbacks(cx: &Context, stops: &WriteStops<'_>) -> CheckResult {
    let parsed = &cx.contract().vocabulary.parsed;
    let uploads = API_WRITES.map(|(relation, at_commit)| {
        let word = parsed.clone();
        Stopped::upload(
            cx,
            stops,
            WriteStop {
                relation,
                word,
                at_commit,
            },
        )
    });
    let documents = try_join_all(uploads).await?;
    all_stopped(cx, stops, &documents).await?;
    restart_api(cx, stops).await?;
    complete_all(cx, &documents).await
}

async fn restart_api(cx: &Context, stops: &WriteStops<'_>) -> CheckResult {
    cx.control(ControlAction::StopApi).await?;
    stops.end_transactions().await?;
    cx.control(ControlAction::StartApi).await
}

/// A registration without an answer is no registration: the same document is accepted when it is sent again.
async fn kill_api_in_registrations(cx: &Context, stops: &WriteStops<'_>) -> CheckResult {
    let (contract, registered) = (cx.contract(), &cx.contract().vocabulary.registered);
    let mut uploads = Vec::new();
    for (relation, at_commit) in API_WRITES {
        let (tenant, document) = (cx.tenant()?, cx.document().build());
        let id = contract.document_id(tenant.user_id, document.sha256());
        let Some(id) = id else {
            return Err(Stop::not_applicable(
                "the ids of documents cannot be predicted",
            ));
        };
        let word = registered.clone();
        stops
            .stop(
                id,
                &WriteStop {
                    relation,
                    word,
                    at_commit,
                },
            )
            .await?;
        uploads.push((cx.pipeline_as(tenant)?, document));
    }
    let registrations = async {
        futures::future::join_all(
            uploads
                .iter()
                .map(|(pipeline, document)| pipeline.register(document.upload())),
        )
        .await;
        CheckResult::Ok(())
    };
    let killed = async {
        let within = contract.timing.complete_within;
        cx.eventually("every registration reaches its stop", within, async || {
            let waiting = stops.waiting().await?;
            Ok((waiting >= uploads.len()).then_some(()))
        })
        .await?;
        restart_api(cx, stops).await
    };
    let (registered, killed) = futures::join!(registrations, killed);
    registered.and(killed)?;
    for (pipeline, document) in &uploads {
        expect_no_half_registration(cx, pipeline).await?;
        let accepted = pipeline.upload(document).await?;
        expect_complete(cx, pipeline, &accepted, document).await?;
    }
    Ok(())
}

/// A document of an interrupted registration has its job, or does not exist.
async fn expect_no_half_registration(cx: &Context, pipeline: &Pipeline) -> CheckResult {
    let Some(tenant) = pipeline.tenant() else {
        return Ok(());
    };
    let database = cx.database()?;
    for document in database.documents_of(tenant.user_id).await? {
        let jobs = database.jobs_of(document.document_id).await?;
        ensure!(
            !jobs.is_empty(),
            "an interrupted registration left a document without a job"
        );
    }
    Ok(())
}
