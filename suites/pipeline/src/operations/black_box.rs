//! Black box: the most important promises, tested without access to the database.

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Proof;
use cutover_harness::prelude::*;
use cutover_harness::standin::EmbedderBehaviour;
use serde_json::Value;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::search_hits;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(each_chunk_is_its_own_best_match)
            .requires([Http, Standins])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(forged_callbacks_are_refused)
            .requires([Http, Standins])
            .calls([Endpoint::Callback, Endpoint::Search])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(bytes_that_were_not_registered_are_never_found)
            .only_where([Condition::UPLOAD_HASH])
            .requires([Http, Standins])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Enough chunks to notice vectors in the wrong order, and few enough to search for each.
const LOOKED_UP: u32 = 5;

/// Each chunk is the best match for its own text, also if the embedder returns vectors out of order.
async fn each_chunk_is_its_own_best_match(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(40).build();
    let standins = cx.standins()?;
    let script = standins
        .script_embedder(document.nonce(), EmbedderBehaviour::Reordered)
        .await?;
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    script.withdraw().await?;
    let found = search_hits(cx, &pipeline, document.nonce(), LOOKED_UP).await?;
    ensure!(
        found.len() > 1,
        "a search of a long document returns {} of its chunks",
        found.len()
    );
    for hit in &found {
        let words = text_of(cx, hit)?;
        let first = search_hits(cx, &pipeline, words, 1).await?;
        let first = first.first().map(|hit| text_of(cx, hit)).transpose()?;
        ensure_eq!(
            first,
            Some(words),
            "a chunk is not the best match for its own text"
        );
    }
    Ok(())
}

fn text_of<'a>(cx: &Context, hit: &'a Value) -> CheckResult<&'a str> {
    let text = value_at(&cx.contract().fields.search.text, hit, "a search result")?;
    Ok(text.as_str().unwrap_or_default())
}

/// The body of a forged callback.
const FORGED: &str = r##"{"status":"completed","md":"# Forged\n\nA text from another sender.\n"}"##;

/// A callback without valid authentication is refused, and its text is not indexed.
async fn forged_callbacks_are_refused(cx: &Context) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let valid = awaiting.proof(FORGED);
    for forged in [Proof::default(), valid.tampered(|_| "00".to_owned())] {
        awaiting
            .send(FORGED, &forged)
            .await?
            .expect_status(&cx.contract().statuses.callback_unauthenticated)?;
    }
    awaiting
        .send_text(&awaiting.document.expected_text())
        .await?;
    awaiting.pipeline.until_complete(&awaiting.accepted).await?;
    for hit in search_hits(cx, &awaiting.pipeline, "Forged", LOOKED_UP).await? {
        let text = text_of(cx, &hit)?;
        ensure!(
            !text.contains("Forged"),
            "the text of a forged callback is found: {text}"
        );
    }
    Ok(())
}

/// Bytes that differ from their registration fail: the parser does not receive them, and no search finds them.
async fn bytes_that_were_not_registered_are_never_found(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let mut claimed = document.upload().clone();
    claimed.sha256 = "a".repeat(64);
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(claimed).await?;
    let job = pipeline.until_final(&accepted).await?;
    ensure!(
        cx.contract().vocabulary.is_failure(&job.status),
        "a document whose bytes differ from their registration does not fail: {}",
        job.summary()
    );
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    ensure!(
        calls.is_empty(),
        "the parser received bytes that were not registered"
    );
    let found = search_hits(cx, &pipeline, document.nonce(), LOOKED_UP).await?;
    ensure!(found.is_empty(), "bytes that were not registered are found");
    Ok(())
}
