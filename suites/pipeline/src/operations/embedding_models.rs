//! Embedding models: a search compares vectors of one model only, and a change of the model changes every vector.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use cutover_harness::stack::Overrides;
use cutover_harness::standin::EmbedderBehaviour;

use cutover_suite_support::outcomes::{give_up_within, search_hits};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_search_compares_vectors_of_one_model)
            .requires([Http, Processes])
            .calls([Endpoint::Search])
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(
            after_a_change_of_model_every_vector_is_of_the_new_one,
            CHANGES
        )
        .requires([Http, Database, Standins, WorkerStop, Processes])
        .calls([Endpoint::Search])
        .reads([read::chunk::EMBED_MODEL, read::chunk::EMBEDDING])
        .effect(Effect::Fault)
        .expected_duration(secs(5))
        .severity(High)
        .alone_with_workers(1),
    ]
}

/// A model with the same dimensions as that of the contract.
const OTHER_MODEL: &str = "text-embedding-3-large";

fn with_other_model() -> Overrides {
    Overrides::from([("EMBED_MODEL".to_owned(), Some(OTHER_MODEL.to_owned()))])
}

/// A service with another model does not find a document by vectors of the model before.
async fn a_search_compares_vectors_of_one_model(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(8).build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let api = cx.processes()?.start_extra_api(&with_other_model()).await?;
    let other = pipeline.at(api.url());
    let found = search_hits(cx, &other, document.nonce(), 5).await?;
    ensure!(
        found.is_empty(),
        "a search with the model {OTHER_MODEL} compares {} vectors of another model",
        found.len()
    );
    api.end().await?;
    let found = search_hits(cx, &pipeline, document.nonce(), 5).await?;
    ensure!(
        !found.is_empty(),
        "a search with the model of the vectors finds nothing"
    );
    Ok(())
}

/// A document whose vectors are of the model before.
pub(super) struct ModelChange {
    name: &'static str,
    is_complete: bool,
}

impl Named for ModelChange {
    fn name(&self) -> &'static str {
        self.name
    }
}

const CHANGES: &[ModelChange] = &[
    ModelChange {
        name: "of_a_complete_document",
        is_complete: true,
    },
    ModelChange {
        name: "of_a_half_embedded_document",
        is_complete: false,
    },
];

/// Stops the workers when all vectors of a document but those of the last batch are stored.
async fn stop_halfway(cx: &Context, pipeline: &Pipeline) -> CheckResult<(Document, Accepted)> {
    let pages = cx.contract().embedder.max_batch + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    // Only the last embedder call contains the heading of the last page.
    let last = format!("{}, part {pages} of {pages}", document.title());
    let standins = cx.standins()?;
    let script = standins.script_embedder(last.as_str(), EmbedderBehaviour::Hang);
    let script = script.times(1).await?;
    let accepted = pipeline.upload(&document).await?;
    let within = give_up_within(cx.contract());
    cx.eventually("the last part is embedded", within, async || {
        let calls = standins.embedder_calls(&last).await?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    cx.control(ControlAction::StopWorkers).await?;
    script.withdraw().await?;
    Ok((document, accepted))
}

/// A worker with another model replaces vectors of the model before, and then the document is found.
async fn after_a_change_of_model_every_vector_is_of_the_new_one(
    cx: &Context,
    case: &ModelChange,
) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let (document, accepted) = if case.is_complete {
        let document = cx.document().paragraphs(8).build();
        let accepted = pipeline.complete(&document).await?.accepted;
        cx.control(ControlAction::StopWorkers).await?;
        (document, accepted)
    } else {
        stop_halfway(cx, &pipeline).await?
    };
    let worker = cx
        .processes()?
        .start_extra_worker(&with_other_model())
        .await?;
    pipeline.until_complete(&accepted).await?;
    let database = cx.database()?;
    let within = cx.contract().timing.complete_within;
    let replaced = cx.eventually("every vector is of the new model", within, async || {
        let chunks = database.chunks_of(accepted.document_id).await?;
        let is_new = |model: Option<&str>| model == Some(OTHER_MODEL);
        let old = chunks
            .iter()
            .filter(|chunk| !is_new(chunk.embed_model.as_deref()))
            .count();
        let vectors = chunks.iter().all(ChunkRow::has_vector);
        Ok(if old == 0 && vectors && !chunks.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending(format!(
                "{old} of {} vectors are of another model",
                chunks.len()
            ))
        })
    });
    replaced.await?;
    let api = cx.processes()?.start_extra_api(&with_other_model()).await?;
    let found = search_hits(cx, &pipeline.at(api.url()), document.nonce(), 5).await?;
    ensure!(
        !found.is_empty(),
        "a document with new vectors is not found"
    );
    api.end().await?;
    worker.end().await?;
    cx.control(ControlAction::StartWorkers).await
}
