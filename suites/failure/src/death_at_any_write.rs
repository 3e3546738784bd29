//! Death at any write: a process that dies before a write, or before its commit, leaves a document that completes.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use cutover_suite_support::outcomes::expect_complete;
use cutover_suite_support::write_stops::{WriteStop, WriteStops};

use super::stopped_documents::{
    API_WRITES, READS, Stopped, WRITES, Writes, all_stopped, complete_all, stops_of_callback,
};

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
    let uploads = stops_of_callback(cx).into_iter();
    let uploads = uploads.map(|stop| Stopped::upload(cx, stops, stop));
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
