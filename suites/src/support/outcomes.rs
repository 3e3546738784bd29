//! How a document ends: whole, or failed with a cause and with nothing left behind.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_harness::contract::{Accepted, Contract, JobView};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::{CallbackSent, ParserCall};
use serde_json::Value;

use crate::support::json::{at, list_at};

/// The fewest words that tell a person what went wrong.
const A_SENTENCE: usize = 3;

/// How long a job may take to give up, when every attempt lasts as long as it may.
pub(crate) fn patience(contract: &Contract) -> Duration {
    let timing = &contract.timing;
    let attempt = timing.parse_deadline.max(timing.provider_timeout) + timing.retry_cap;
    attempt * (timing.max_retries + 1) + timing.complete_within
}

/// The job fails for good, in the status of the stage that failed, and says why.
pub(crate) async fn fails(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    status: &str,
) -> CheckResult<JobView> {
    let (contract, vocabulary) = (cx.contract(), &cx.contract().vocabulary);
    let is_final = |job: &JobView| vocabulary.is_final(&job.status, job.state.as_deref());
    let job = pipeline
        .until(accepted, "it ends", patience(contract), is_final)
        .await?;
    ensure_eq!(
        job.status,
        status,
        "the job does not end in the status of the stage that fails"
    );
    let shown = pipeline.show(accepted).await?.expect_status(200)?;
    let (shown, fields) = (shown.json()?, &contract.fields.job);
    for (pointer, words) in [
        (&fields.last_error_code, 1),
        (&fields.last_error_message, A_SENTENCE),
    ] {
        if pointer.is_given() {
            let text = at(pointer, &shown, "a failed job")?;
            let found = text.as_str().unwrap_or_default().split_whitespace().count();
            ensure!(
                found >= words,
                "{} of a failed job does not say what went wrong: {text}",
                pointer.as_str()
            );
        }
    }
    if fields.last_error_timestamp.is_given() {
        let time = at(&fields.last_error_timestamp, &shown, "a failed job")?;
        let time = time.as_str().unwrap_or_default();
        contract.time("the time at which a job failed", time)?;
    }
    if fields.last_error_details.is_given() {
        at(&fields.last_error_details, &shown, "a failed job")?;
    }
    Ok(job)
}

/// Everything a job tells about its failure contains these words.
pub(crate) fn names_its_cause(job: &JobView, cause: &str) -> CheckResult {
    let told = job.last_error.as_ref().map(Value::to_string);
    ensure!(
        told.as_ref().is_some_and(|told| told.contains(cause)),
        "the cause '{cause}' is lost: {}",
        job.summary()
    );
    Ok(())
}

/// Nothing of a document that has not arrived is indexed or found.
pub(crate) async fn leaves_nothing(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult {
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "a document that has not arrived has {} chunks",
        chunks.len()
    );
    let id = &cx.contract().fields.search.document_id;
    for hit in hits(cx, pipeline, document.nonce(), 10).await? {
        let found = at(id, &hit, "a search result")?;
        ensure!(
            *found != accepted.document_id.to_string(),
            "a document that has not arrived is found: {hit}"
        );
    }
    Ok(())
}

/// The document arrives with its whole text, in chunks that are as agreed, each with its own vector.
pub(crate) async fn arrives_whole(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult<JobView> {
    let job = pipeline.until_complete(accepted).await?;
    ensure!(
        job.last_error.is_none(),
        "a complete job shows an error: {}",
        job.summary()
    );
    let text = parsed_text(cx, pipeline, accepted).await?;
    ensure_eq!(
        text,
        document.expected_text(),
        "the parsed text is not that of the document"
    );
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    ensure_eq!(
        words(&joined),
        words(&text),
        "the joined chunks are not the parsed text"
    );
    for chunk in &chunks {
        ensure!(
            chunk.has_vector(),
            "chunk {} has no vector",
            chunk.chunk_ord
        );
        has_the_embedders_vector(chunk, cx.contract().embedder.dimensions)?;
    }
    Ok(job)
}

/// The text that is stored as that of a document; empty when there is none.
pub(crate) async fn parsed_text(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
) -> CheckResult<String> {
    let Some(tenant) = pipeline.tenant() else {
        return Ok(String::new());
    };
    let path = cx
        .contract()
        .parsed_path(tenant.user_id, accepted.document_id);
    let bytes = cx.storage()?.get(&path).await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The callbacks about a document, once there are so many.
pub(crate) async fn callbacks_about(
    cx: &Context,
    document: &Document,
    least: usize,
) -> CheckResult<Vec<(ParserCall, CallbackSent)>> {
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    cx.eventually("the parser's callback is answered", within, async || {
        let calls = standins.parser_calls(document.sha256()).await?;
        let each = |call: ParserCall| {
            let callbacks = call.callbacks.clone();
            callbacks.into_iter().map(move |sent| (call.clone(), sent))
        };
        let sent: Vec<_> = calls.into_iter().flat_map(each).collect();
        Ok((sent.len() >= least).then_some(sent))
    })
    .await
}

/// What a search gives.
pub(crate) async fn hits(
    cx: &Context,
    pipeline: &Pipeline,
    query: &str,
    k: u32,
) -> CheckResult<Vec<Value>> {
    let answer = pipeline
        .search(query, k)
        .await?
        .expect_status(200)?
        .json()?;
    let results = &cx.contract().fields.search.results;
    Ok(list_at(results, &answer, "the answer to a search")?.to_vec())
}

/// How far a stored vector may turn away from the embedder's answer: storing it
/// as single-precision text and back must not turn it at all.
const SAME_DIRECTION: f64 = 0.999_999;

pub(crate) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

pub(crate) fn has_the_embedders_vector(chunk: &ChunkRow, dimensions: usize) -> CheckResult {
    let Some(stored) = &chunk.embedding else {
        return Ok(());
    };
    ensure_eq!(
        stored.dimensions(),
        dimensions,
        "the vector of chunk {} has another dimension",
        chunk.chunk_ord
    );
    let expected = Vector(cutover_fixtures::vector::of(&chunk.text, dimensions));
    let similarity = stored.cosine(&expected);
    ensure!(
        similarity > SAME_DIRECTION,
        "the vector of chunk {} is not the embedder's for its text: their similarity is {similarity:.4}",
        chunk.chunk_ord,
    );
    Ok(())
}
