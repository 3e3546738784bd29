//! Deletion: what its owner deletes is gone everywhere, and nobody else deletes anything.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackMoment, EmbedderBehaviour, ParserBehaviour, StorageBehaviour,
};
use uuid::Uuid;

use cutover_suite_support::json::list_at;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_deleted_document_is_gone)
            .requires([Http, Database, Storage])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_stranger_deletes_nothing)
            .requires([Http, Database, Storage])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_failed_deletion_is_reported)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(a_document_deleted_during_parsing_does_not_come_back)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(a_document_deleted_during_embedding_frees_its_worker)
            .requires([Http, Database, Storage, Standins, Processes])
            .effect(Fault)
            .takes(secs(2))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// How much there is of a document, by where it is.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    documents: usize,
    jobs: usize,
    chunks: usize,
    events: usize,
    callbacks: u64,
    uploaded: bool,
    parsed: bool,
}

/// Nothing, anywhere.
const NOTHING: Traces = Traces {
    documents: 0,
    jobs: 0,
    chunks: 0,
    events: 0,
    callbacks: 0,
    uploaded: false,
    parsed: false,
};

const CALLBACKS: &str = "SELECT 1 FROM {schema}.webhook_log WHERE job_id = $1";

async fn traces(cx: &Context, user: Uuid, document: Uuid, job: Uuid) -> CheckResult<Traces> {
    let (database, storage) = (cx.database()?, cx.storage()?);
    let contract = cx.contract();
    let row = database.document(document).await?;
    Ok(Traces {
        documents: usize::from(row.is_some()),
        jobs: database.jobs_of(document).await?.len(),
        chunks: database.chunks_of(document).await?.len(),
        events: database.events_of(job).await?.len(),
        callbacks: database.count(CALLBACKS, &[job.into()]).await?,
        uploaded: storage.exists(&contract.raw_path(user, document)).await?,
        parsed: storage
            .exists(&contract.parsed_path(user, document))
            .await?,
    })
}

/// A deleted document leaves no row, no vector, no object; its owner may delete it
/// again, and may upload it again.
async fn a_deleted_document_is_gone(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let before = found(cx, &pipeline, document.nonce()).await?;
    ensure!(before > 0, "a document that has arrived is not found");
    deletes(&pipeline, id).await?;
    let left = traces(cx, tenant.user_id, id, job).await?;
    ensure_eq!(left, NOTHING, "a deleted document leaves something behind");
    pipeline.document(id).await?.expect_status(404)?;
    pipeline.show(&done.accepted).await?.expect_status(404)?;
    let found = found(cx, &pipeline, document.nonce()).await?;
    ensure_eq!(found, 0, "a deleted document is found");
    deletes(&pipeline, id).await?;
    let again = pipeline.complete(&document).await?;
    ensure_eq!(
        again.document_id(),
        id,
        "a document that was deleted and uploaded again has another id"
    );
    Ok(())
}

/// Deleting is answered with success, also when there is nothing left to delete.
async fn deletes(pipeline: &Pipeline, document: Uuid) -> CheckResult {
    let reply = pipeline.delete(document).await?;
    ensure!(
        reply.is_success(),
        "{} is answered with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}

/// How many texts a search finds.
async fn found(cx: &Context, pipeline: &Pipeline, words: &str) -> CheckResult<usize> {
    let answer = pipeline.search(words, 5).await?.expect_status(200)?;
    let results = &cx.contract().fields.search.results;
    Ok(list_at(results, &answer.json()?, "the answer to a search")?.len())
}

/// A stranger who knows a document's id deletes nothing of it.
async fn a_stranger_deletes_nothing(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let owner = cx.pipeline_as(tenant.clone())?;
    let done = owner.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let before = traces(cx, tenant.user_id, id, job).await?;
    // Whether this is called a success or unknown tells the stranger nothing either way.
    cx.pipeline()?.delete(id).await?;
    let after = traces(cx, tenant.user_id, id, job).await?;
    ensure_eq!(after, before, "a stranger deletes something of a document");
    owner.document(id).await?.expect_status(200)?;
    let found = found(cx, &owner, document.nonce()).await?;
    ensure!(
        found > 0,
        "a document is not found any more after a stranger tried to delete it"
    );
    Ok(())
}

/// Late enough for the deletion to come first.
const LATE: Duration = Duration::from_millis(1_500);

/// A document that is deleted while the parser reads it stays deleted when the parser calls back.
async fn a_document_deleted_during_parsing_does_not_come_back(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let standins = cx.standins()?;
    let behaviour = ParserBehaviour {
        callback: Callback {
            moment: CallbackMoment::Late {
                delay_ms: u64::try_from(LATE.as_millis())?,
            },
            ..Callback::default()
        },
        ..ParserBehaviour::default()
    };
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.upload(&document).await?;
    let within = cx.contract().timing.complete_within;
    let calls = async || standins.parser_calls(document.sha256()).await;
    cx.eventually("the parser has the document", within, async || {
        let calls = calls().await?;
        Ok(calls.iter().any(|call| call.answered == 200).then_some(()))
    })
    .await?;
    deletes(&pipeline, accepted.document_id).await?;
    let sent = cx
        .eventually("the parser calls back", within, async || {
            let sent = calls().await?.into_iter().flat_map(|call| call.callbacks);
            Ok(sent.into_iter().find(|sent| sent.answered.is_some()))
        })
        .await?;
    script.withdraw().await?;
    let status = sent.answered.unwrap_or_default();
    ensure!(
        status < 500,
        "the callback about a deleted document is answered with {status} {}",
        sent.answer
    );
    let (id, job) = (accepted.document_id, accepted.job_id);
    let left = traces(cx, tenant.user_id, id, job).await?;
    ensure_eq!(
        left,
        NOTHING,
        "a document comes back after it was deleted on its way"
    );
    Ok(())
}

/// While storage does not remove an object, its deletion is not called a success; asked again later, it is one.
async fn a_failed_deletion_is_reported(cx: &Context) -> CheckResult {
    let (document, tenant) = (cx.document().build(), cx.tenant()?);
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let raw = cx.contract().raw_path(tenant.user_id, id);
    let away = StorageBehaviour::Refuse {
        status: 503,
        marker: "storage is away".to_owned(),
    };
    let scope = format!("DELETE {raw}");
    let script = cx.standins()?.script_storage(scope, away).await?;
    let reply = pipeline.delete(id).await?;
    script.withdraw().await?;
    ensure!(
        reply.status >= 500 || !cx.storage()?.exists(&raw).await?,
        "a deletion is answered with {}, and the bytes are still there",
        reply.summary()
    );
    deletes(&pipeline, id).await?;
    let left = traces(cx, tenant.user_id, id, job).await?;
    ensure_eq!(
        left,
        NOTHING,
        "a document that could be deleted at the second try only leaves something behind"
    );
    Ok(())
}

/// More documents than a worker takes on at once.
const AT_WORK: usize = 8;

/// A worker whose documents are deleted while it waits for their vectors takes on others, and writes nothing of them.
async fn a_document_deleted_during_embedding_frees_its_worker(cx: &Context) -> CheckResult {
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    let mut deleted = Vec::new();
    for _ in 0..AT_WORK {
        let (document, tenant) = (cx.document().build(), cx.tenant()?);
        let late = EmbedderBehaviour::Late {
            delay_ms: u64::try_from(LATE.as_millis())?,
        };
        let script = standins.script_embedder(document.nonce(), late).await?;
        let pipeline = cx.pipeline_as(tenant.clone())?;
        let accepted = pipeline.upload(&document).await?;
        cx.eventually(
            "the embedder is asked for its vectors",
            within,
            async || {
                let calls = standins.embedder_calls(document.nonce()).await?;
                Ok((!calls.is_empty()).then_some(()))
            },
        )
        .await?;
        deletes(&pipeline, accepted.document_id).await?;
        deleted.push((tenant, accepted, document, script));
    }
    cx.pipeline()?.complete(&cx.document().build()).await?;
    for (tenant, accepted, document, script) in deleted {
        cx.eventually("the embedder has answered", within, async || {
            let calls = standins.embedder_calls(document.nonce()).await?;
            Ok(calls.iter().all(|call| call.answered != 0).then_some(()))
        })
        .await?;
        script.withdraw().await?;
        let (id, job) = (accepted.document_id, accepted.job_id);
        let left = traces(cx, tenant.user_id, id, job).await?;
        ensure_eq!(
            left,
            NOTHING,
            "a document that was deleted while its vectors were made leaves something behind"
        );
    }
    Ok(())
}
