//! Expected outcomes of a document: complete, or failed with a cause and nothing indexed.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_harness::contract::{Accepted, Contract, JobView, Read};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::{CallbackSent, ParserCall};
use serde_json::Value;
use uuid::Uuid;

use crate::json::{list_at, value_at};

/// The fewest words of an error message that a person can understand.
const MIN_MESSAGE_WORDS: usize = 3;

/// What [`expect_complete`] reads.
pub const COMPLETE: [Read; 2] = [read::CHUNKS, read::chunk::EMBEDDING.if_given()];

/// What [`expect_not_indexed`] reads.
pub const NOT_INDEXED: [Read; 1] = [read::CHUNKS];

/// How long a job may take until it gives up, if every attempt takes as long as allowed.
pub fn give_up_within(contract: &Contract) -> Duration {
    let timing = &contract.timing;
    let attempt = timing.parse_deadline.max(timing.provider_timeout) + timing.retry_cap;
    attempt * (timing.max_retries + 1) + timing.complete_within
}

/// The job fails permanently, in the failure status of its stage, and reports the cause.
pub async fn expect_failure(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    status: &str,
) -> CheckResult<JobView> {
    let (contract, vocabulary) = (cx.contract(), &cx.contract().vocabulary);
    let is_final = |job: &JobView| vocabulary.is_final(&job.status, job.state.as_deref());
    let job = pipeline
        .until(
            accepted,
            "the job reaches a final status",
            give_up_within(contract),
            is_final,
        )
        .await?;
    ensure!(
        vocabulary.is_failure(&job.status),
        "the document does not fail: {}",
        job.summary()
    );
    if job.names_stage && job.status != status {
        // The label must not hide what the failure leaves behind.
        let summary = "the job does not end in the failure status of its stage";
        cx.report(Finding::new(summary).comparing_values(&status, &job.status));
    }
    if contract.has(Endpoint::Job) {
        // What the job tells is not what it did: a wrong field must not hide what the failure leaves behind.
        cx.report_if_wrong(expect_error_fields(cx, pipeline, accepted).await)?;
    }
    Ok(job)
}

/// A failed job tells its error in all fields of the contract.
async fn expect_error_fields(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
) -> CheckResult {
    let contract = cx.contract();
    let shown = pipeline.show(accepted).await?.expect_status(200)?;
    let (shown, fields) = (shown.json()?, &contract.fields.job);
    for (pointer, min_words) in [
        (&fields.last_error_code, 1),
        (&fields.last_error_message, MIN_MESSAGE_WORDS),
    ] {
        if pointer.is_given() {
            let text = value_at(pointer, &shown, "a failed job")?;
            let words = pointer.find_text(&shown).unwrap_or_default();
            let found = words.split_whitespace().count();
            ensure!(
                found >= min_words,
                "{} of a failed job does not describe the error: {text}",
                pointer.as_str()
            );
        }
    }
    if fields.last_error_timestamp.is_given() {
        value_at(&fields.last_error_timestamp, &shown, "a failed job")?;
        let time = fields.last_error_timestamp.find_text(&shown);
        contract.time("the failure time of a job", &time.unwrap_or_default())?;
    }
    if fields.last_error_details.is_given() {
        value_at(&fields.last_error_details, &shown, "a failed job")?;
    }
    Ok(())
}

/// The error of a job contains the provider's text, if the contract promises it.
pub fn expect_provider_text(cx: &Context, job: &JobView, text: &str) -> CheckResult {
    if cx.contract().responses.cause.has_text() {
        return expect_cause(job, text);
    }
    Ok(())
}

/// The error of a job contains the status of the provider's response, if the contract promises it.
pub fn expect_provider_status(cx: &Context, job: &JobView, status: u16) -> CheckResult {
    if cx.contract().responses.cause.has_status() {
        return expect_cause(job, &status.to_string());
    }
    Ok(())
}

/// The error of a job contains the cause.
pub fn expect_cause(job: &JobView, cause: &str) -> CheckResult {
    let error = job.last_error.as_ref().map(Value::to_string);
    ensure!(
        error.as_ref().is_some_and(|error| error.contains(cause)),
        "the error of the job does not contain the cause '{cause}': {}",
        job.summary()
    );
    Ok(())
}

/// A document that is not complete has no chunks and is not found.
pub async fn expect_not_indexed(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult {
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "a document that is not complete has {} chunks",
        chunks.len()
    );
    let id = &cx.contract().fields.search.document_id;
    for hit in hits_if_searchable(cx, pipeline, document.nonce(), 10).await? {
        let found = value_at(id, &hit, "a search result")?;
        ensure!(
            *found != accepted.document_id.to_string(),
            "a document that is not complete is found: {hit}"
        );
    }
    Ok(())
}

/// Waits for the first callback about a document that the API answered.
pub async fn first_callback(cx: &Context, document: &Document) -> CheckResult<CallbackSent> {
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    cx.eventually("the callback is answered", within, async || {
        let calls = standins.parser_calls(document.sha256()).await?;
        Ok(calls.into_iter().flat_map(|call| call.callbacks).next())
    })
    .await
}

/// The document completes with its whole text, and every chunk has its own vector.
pub async fn expect_complete(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult<JobView> {
    let job = pipeline.until_complete(accepted).await?;
    ensure!(
        job.last_error.is_none(),
        "a complete job has an error: {}",
        job.summary()
    );
    let text = document.expected_text();
    if let Some(stored) = parsed_text(cx, pipeline, accepted).await? {
        ensure_eq!(
            stored,
            text,
            "the parsed text differs from the text of the document"
        );
    }
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    expect_whole_text(cx, &text, &chunks)?;
    let has_vectors = cx.contract().database.has(read::chunk::EMBEDDING);
    for chunk in &chunks {
        ensure!(
            chunk.has_vector() || !has_vectors,
            "chunk {} has no vector",
            chunk.chunk_ord
        );
        expect_embedder_vector(chunk, cx.contract().embedder.dimensions)?;
    }
    Ok(job)
}

/// The chunks of a document contain its whole text, by the rules of the contract's chunker.
pub fn expect_whole_text(cx: &Context, text: &str, chunks: &[ChunkRow]) -> CheckResult {
    let texts: Vec<_> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    let difference = cx.contract().chunker.difference_in_words(text, &texts);
    difference.map_or(Ok(()), |difference| {
        let summary = format!("the joined chunks differ from the parsed text: {difference}");
        Err(Stop::violated(
            Finding::new(summary).comparing(text, texts.join("\n---\n")),
        ))
    })
}

/// The stored text of a document, empty if there is none; `None` where the contract does not say where it is.
pub async fn parsed_text(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
) -> CheckResult<Option<String>> {
    if !cx.contract().storage.has_parsed_path() {
        return Ok(None);
    }
    let Some(tenant) = pipeline.tenant() else {
        return Ok(Some(String::new()));
    };
    let path = cx
        .contract()
        .parsed_path(tenant.user_id, accepted.document_id);
    let bytes = cx.storage()?.get(&path).await?.unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The callbacks about a document, as soon as there are at least this many.
pub async fn callbacks_for(
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

/// Whether the answer to a callback is that of an accepted one.
pub fn acknowledges(cx: &Context, callback: &CallbackSent) -> bool {
    let codes = &cx.contract().statuses.callback_accepted;
    callback
        .answered
        .is_some_and(|status| codes.include(status))
}

/// The results of a search; none where the target has no search. For what must not be found.
pub async fn hits_if_searchable(
    cx: &Context,
    pipeline: &Pipeline,
    query: &str,
    k: u32,
) -> CheckResult<Vec<Value>> {
    if cx.contract().has(Endpoint::Search) {
        search_hits(cx, pipeline, query, k).await
    } else {
        Ok(Vec::new())
    }
}

/// The results of a search.
pub async fn search_hits(
    cx: &Context,
    pipeline: &Pipeline,
    query: &str,
    k: u32,
) -> CheckResult<Vec<Value>> {
    let answer = pipeline
        .search(query, k)
        .await?
        .expect_status(&cx.contract().statuses.searched)?
        .json()?;
    let results = &cx.contract().fields.search.results;
    Ok(list_at(results, &answer, "the search response")?.to_vec())
}

/// The least cosine similarity of a stored vector to the embedder's answer. Storing a vector
/// as single-precision text and reading it back does not change its direction.
const MIN_SIMILARITY: f64 = 0.999_999;

/// The words of a text, without the whitespace between them.
pub fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The vector of a chunk, if it has one, is the embedder's answer to its text.
pub fn expect_embedder_vector(chunk: &ChunkRow, dimensions: usize) -> CheckResult {
    let Some(stored) = &chunk.embedding else {
        return Ok(());
    };
    ensure_eq!(
        stored.dimensions(),
        dimensions,
        "the vector of chunk {} has the wrong dimension",
        chunk.chunk_ord
    );
    let expected = Vector(cutover_fixtures::vector::embed(&chunk.text, dimensions));
    let similarity = stored.cosine(&expected);
    ensure!(
        similarity > MIN_SIMILARITY,
        "the vector of chunk {} is not the embedder's vector for its text: their similarity is {similarity:.4}",
        chunk.chunk_ord,
    );
    Ok(())
}

/// The paths of the objects of a document that are stored.
pub async fn objects_left(cx: &Context, user: Uuid, document: Uuid) -> CheckResult<Vec<String>> {
    let (contract, storage) = (cx.contract(), cx.storage()?);
    let layout = &contract.storage;
    let paths = [
        (layout.has_raw_path(), contract.raw_path(user, document)),
        (
            layout.has_parsed_path(),
            contract.parsed_path(user, document),
        ),
    ];
    let mut left = Vec::new();
    for (_, path) in paths.into_iter().filter(|(is_known, _)| *is_known) {
        if storage.exists(&path).await? {
            left.push(path);
        }
    }
    Ok(left)
}
