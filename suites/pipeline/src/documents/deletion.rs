//! Deletion: everything of a deleted document is removed, and only its owner can delete it.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Derivation, Read};
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
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http, Database, Storage])
            .calls([Endpoint::DeleteDocument])
            .reads(STORED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_stranger_deletes_nothing)
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http, Database, Storage])
            .calls([Endpoint::DeleteDocument])
            .reads(STORED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_failed_deletion_is_reported)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::DeleteDocument])
            .reads(STORED)
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_document_deleted_during_parsing_does_not_come_back)
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::DeleteDocument])
            .reads(STORED)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(a_document_deleted_during_embedding_frees_its_worker)
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http, Database, Storage, Standins, Processes])
            .calls([Endpoint::DeleteDocument])
            .reads(STORED)
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// What is stored of a document, by place.
#[derive(Debug, PartialEq, Eq)]
struct StoredData {
    documents: usize,
    jobs: usize,
    chunks: usize,
    events: usize,
    callbacks: u64,
    uploaded: bool,
    parsed: bool,
}

/// Nothing is stored.
const NOTHING: StoredData = StoredData {
    documents: 0,
    jobs: 0,
    chunks: 0,
    events: 0,
    callbacks: 0,
    uploaded: false,
    parsed: false,
};

/// What [`stored_data`] reads.
const STORED: [Read; 5] = [
    read::DOCUMENTS,
    read::JOBS,
    read::CHUNKS,
    read::EVENTS.if_given(),
    read::WEBHOOK_LOG.if_given(),
];

const CALLBACKS: &str = "SELECT 1 FROM {schema}.webhook_log WHERE job_id = $1";

async fn stored_data(
    cx: &Context,
    user: Uuid,
    document: Uuid,
    job: Uuid,
) -> CheckResult<StoredData> {
    let (database, storage) = (cx.database()?, cx.storage()?);
    let contract = cx.contract();
    let row = database.document(document).await?;
    let events = if contract.database.has(read::EVENTS) {
        database.events_of(job).await?.len()
    } else {
        0
    };
    let callbacks = if contract.database.has(read::WEBHOOK_LOG) {
        database.count(CALLBACKS, &[job.into()]).await?
    } else {
        0
    };
    Ok(StoredData {
        documents: usize::from(row.is_some()),
        jobs: database.jobs_of(document).await?.len(),
        chunks: database.chunks_of(document).await?.len(),
        events,
        callbacks,
        uploaded: storage.exists(&contract.raw_path(user, document)).await?,
        parsed: storage
            .exists(&contract.parsed_path(user, document))
            .await?,
    })
}

/// A deleted document leaves no row, vector or object. Its owner can repeat the deletion and upload the document
/// again.
async fn a_deleted_document_is_gone(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let (searches, has_route) = (
        cx.contract().has(Endpoint::Search),
        cx.contract().has(Endpoint::Document),
    );
    // What did not show the document before proves nothing about its deletion.
    if searches {
        let before = found(cx, &pipeline, document.nonce()).await?;
        ensure!(before > 0, "a complete document is not found");
    }
    if has_route {
        pipeline.document(id).await?.expect_status(200)?;
    }
    delete(&pipeline, id).await?;
    let left = stored_data(cx, tenant.user_id, id, job).await?;
    ensure_eq!(left, NOTHING, "a deleted document leaves data behind");
    let unknown = &cx.contract().statuses.unknown;
    if has_route {
        pipeline.document(id).await?.expect_status(unknown)?;
    }
    if cx.contract().has(Endpoint::Job) {
        let shown = pipeline.show(&done.accepted).await?;
        shown.expect_status(unknown)?;
    }
    if searches {
        let found = found(cx, &pipeline, document.nonce()).await?;
        ensure_eq!(found, 0, "a deleted document is still found");
    }
    let repeated = pipeline.delete(id).await?;
    repeated.expect_status(&cx.contract().statuses.deleted_again)?;
    let again = pipeline.complete(&document).await?;
    ensure!(
        again.document_id() == id || cx.contract().ids.document == Derivation::Random,
        "a document that was uploaded again after its deletion has another id"
    );
    Ok(())
}

/// A deletion succeeds.
async fn delete(pipeline: &Pipeline, document: Uuid) -> CheckResult {
    let reply = pipeline.delete(document).await?;
    ensure!(
        reply.is_success(),
        "{} is answered with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}

/// The number of search results.
async fn found(cx: &Context, pipeline: &Pipeline, words: &str) -> CheckResult<usize> {
    let answer = pipeline.search(words, 5).await?;
    let answer = answer.expect_status(&cx.contract().statuses.searched)?;
    let results = &cx.contract().fields.search.results;
    Ok(list_at(results, &answer.json()?, "the answer to a search")?.len())
}

/// Another user who knows a document's id cannot delete anything of it.
async fn a_stranger_deletes_nothing(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let owner = cx.pipeline_as(tenant.clone())?;
    let done = owner.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let before = stored_data(cx, tenant.user_id, id, job).await?;
    // Both success and 404 are acceptable: neither discloses anything to the other user.
    cx.pipeline()?.delete(id).await?;
    let after = stored_data(cx, tenant.user_id, id, job).await?;
    ensure_eq!(after, before, "another user deletes data of a document");
    if cx.contract().has(Endpoint::Document) {
        owner.document(id).await?.expect_status(200)?;
    }
    if cx.contract().has(Endpoint::Search) {
        let found = found(cx, &owner, document.nonce()).await?;
        ensure!(
            found > 0,
            "a document is not found after another user tried to delete it"
        );
    }
    Ok(())
}

/// A delay that is long enough for the deletion to come first.
const DELAY: Duration = Duration::from_millis(1_500);

/// A document that is deleted during parsing stays deleted when the callback arrives.
async fn a_document_deleted_during_parsing_does_not_come_back(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let standins = cx.standins()?;
    let behaviour = ParserBehaviour::calling_back(Callback {
        moment: CallbackMoment::Late {
            delay_ms: u64::try_from(DELAY.as_millis())?,
        },
        ..Callback::default()
    });
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.upload(&document).await?;
    let within = cx.contract().timing.complete_within;
    let calls = async || standins.parser_calls(document.sha256()).await;
    cx.eventually("the parser receives the document", within, async || {
        let calls = calls().await?;
        Ok(calls.iter().any(|call| call.answered == 200).then_some(()))
    })
    .await?;
    delete(&pipeline, accepted.document_id).await?;
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
    let left = stored_data(cx, tenant.user_id, id, job).await?;
    ensure_eq!(
        left,
        NOTHING,
        "a document that was deleted during parsing leaves data behind"
    );
    Ok(())
}

/// While the storage cannot remove an object, the deletion is not reported as successful. A later one succeeds.
async fn a_failed_deletion_is_reported(cx: &Context) -> CheckResult {
    let (document, tenant) = (cx.document().build(), cx.tenant()?);
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (id, job) = (done.document_id(), done.job_id());
    let raw = cx.contract().raw_path(tenant.user_id, id);
    let unavailable = StorageBehaviour::Refuse {
        status: 503,
        marker: "storage is unavailable".to_owned(),
    };
    let scope = format!("DELETE {raw}");
    let script = cx.standins()?.script_storage(scope, unavailable).await?;
    let reply = pipeline.delete(id).await?;
    script.withdraw().await?;
    ensure!(
        reply.status >= 500 || !cx.storage()?.exists(&raw).await?,
        "a deletion is answered with {}, but the bytes are still stored",
        reply.summary()
    );
    delete(&pipeline, id).await?;
    let left = stored_data(cx, tenant.user_id, id, job).await?;
    ensure_eq!(
        left,
        NOTHING,
        "a document whose first deletion failed leaves data behind after the second"
    );
    Ok(())
}

/// More documents than a worker processes at once.
const DELETED: usize = 8;

/// If documents are deleted during embedding, their worker takes new ones and writes nothing about the old.
async fn a_document_deleted_during_embedding_frees_its_worker(cx: &Context) -> CheckResult {
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    let mut deleted = Vec::new();
    for _ in 0..DELETED {
        let (document, tenant) = (cx.document().build(), cx.tenant()?);
        let late = EmbedderBehaviour::Late {
            delay_ms: u64::try_from(DELAY.as_millis())?,
        };
        let script = standins.script_embedder(document.nonce(), late).await?;
        let pipeline = cx.pipeline_as(tenant.clone())?;
        let accepted = pipeline.upload(&document).await?;
        cx.eventually("the embedder receives the chunks", within, async || {
            let calls = standins.embedder_calls(document.nonce()).await?;
            Ok((!calls.is_empty()).then_some(()))
        })
        .await?;
        delete(&pipeline, accepted.document_id).await?;
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
        let left = stored_data(cx, tenant.user_id, id, job).await?;
        ensure_eq!(
            left,
            NOTHING,
            "a document that was deleted during embedding leaves data behind"
        );
    }
    Ok(())
}
