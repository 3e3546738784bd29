//! Document flow: a synthetic document is uploaded, found by its owner only, and deleted.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;

use cutover_suite_support::json::{list_at, value_at};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_synthetic_document_arrives_for_its_owner_alone)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(its_chunks_have_vectors)
            .requires([Http, Database])
            .reads([read::CHUNKS, read::chunk::EMBEDDING])
            .effect(Effect::WriteTenant)
            .severity(Critical)
            .advisory(),
        check!(a_deleted_document_is_gone)
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http])
            .calls([Endpoint::DeleteDocument])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A document with a unique marker completes. Its owner finds it by the marker, and no other user does.
async fn a_synthetic_document_arrives_for_its_owner_alone(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(3).build();
    let owner = cx.pipeline()?;
    let done = owner.complete(&document).await?;
    let stranger = cx.pipeline()?;
    if cx.contract().has(Endpoint::Search) {
        ensure!(
            finds(cx, &owner, document.nonce()).await?,
            "the owner searches for the document's marker {} and does not find it",
            document.nonce()
        );
        ensure!(
            !finds(cx, &stranger, document.nonce()).await?,
            "another tenant finds the document by its marker {}",
            document.nonce()
        );
    }
    let foreign = &cx.contract().statuses.foreign;
    if cx.contract().has(Endpoint::Document) {
        let shown = stranger.document(done.document_id()).await?;
        shown.expect_status(foreign)?;
    }
    if cx.contract().has(Endpoint::Job) {
        let shown = stranger.show(&done.accepted).await?;
        shown.expect_status(foreign)?;
    }
    Ok(())
}

/// Every chunk of a complete document has a vector.
async fn its_chunks_have_vectors(cx: &Context) -> CheckResult {
    let done = cx.pipeline()?.complete(&cx.document().build()).await?;
    let chunks = cx.database()?.chunks_of(done.document_id()).await?;
    ensure!(!chunks.is_empty(), "a complete document has no chunks");
    let without_vector = chunks.iter().filter(|chunk| !chunk.has_vector()).count();
    ensure!(
        without_vector == 0,
        "{without_vector} of {} chunks have no vector",
        chunks.len()
    );
    Ok(())
}

/// A deleted document is neither shown nor found.
async fn a_deleted_document_is_gone(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let owner = cx.pipeline()?;
    let done = owner.complete(&document).await?;
    let (searches, has_route) = (
        cx.contract().has(Endpoint::Search),
        cx.contract().has(Endpoint::Document),
    );
    // What did not show the document before proves nothing about its deletion.
    if has_route {
        let shown = owner.document(done.document_id()).await?;
        shown.expect_status(200)?;
    } else {
        owner.view(&done.accepted).await?;
    }
    if searches {
        ensure!(
            finds(cx, &owner, document.nonce()).await?,
            "a complete document is not found by its owner"
        );
    }
    let deleted = owner.delete(done.document_id()).await?;
    ensure!(
        deleted.is_success(),
        "a document cannot be deleted: {}",
        deleted.summary()
    );
    let unknown = &cx.contract().statuses.unknown;
    if has_route {
        let shown = owner.document(done.document_id()).await?;
        shown.expect_status(unknown)?;
    }
    if cx.contract().has(Endpoint::Job) {
        let shown = owner.show(&done.accepted).await?;
        shown.expect_status(unknown)?;
    }
    ensure!(
        !searches || !finds(cx, &owner, document.nonce()).await?,
        "a deleted document is found"
    );
    Ok(())
}

/// Whether a search result contains the words.
async fn finds(cx: &Context, pipeline: &Pipeline, words: &str) -> CheckResult<bool> {
    let fields = &cx.contract().fields.search;
    let answer = pipeline.search(words, 5).await?;
    let answer = answer.expect_status(&cx.contract().statuses.searched)?;
    let answer = answer.json()?;
    for hit in list_at(&fields.results, &answer, "the search response")? {
        let text = value_at(&fields.text, hit, "a search result")?;
        if text.as_str().is_some_and(|text| text.contains(words)) {
            return Ok(true);
        }
    }
    Ok(false)
}
