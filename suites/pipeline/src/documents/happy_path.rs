//! Happy path: a document from its upload to the search that finds it.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::{self, DocumentRow};
use cutover_harness::standin::EmbedderBehaviour;
use sha2::{Digest as _, Sha256};

use cutover_suite_support::json::{list_at, value_at};
use cutover_suite_support::outcomes::{expect_embedder_vector, expect_whole_text};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_is_found_by_its_owner_alone)
            .requires([Http, Database])
            .calls([Endpoint::Search])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(every_transition_is_recorded)
            .requires([Http, Database])
            .reads([read::event::CODE])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(stored_objects_match_their_hashes)
            .requires([Http, Database, Storage])
            .reads([
                read::document::RAW_PATH,
                read::document::PARSED_PATH,
                read::document::FILE_SHA256,
                read::document::PARSED_SHA256,
            ])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(joined_chunks_are_the_parsed_text)
            .requires([Http, Database, Storage])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(every_chunk_has_its_own_vector)
            .requires([Http, Database, Standins])
            .reads([read::CHUNKS, read::chunk::EMBEDDING])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(ids_and_paths_are_deterministic)
            .requires([Http, Database])
            .reads([
                read::document::RAW_PATH.if_given(),
                read::document::PARSED_PATH.if_given(),
                read::CHUNKS,
            ])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_document_is_submitted_to_the_parser_once)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(the_ocr_option_reaches_the_parser)
            .only_where([Condition::UPLOAD_OCR])
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// The owner of a document finds it by its text, and no other user does.
async fn a_document_is_found_by_its_owner_alone(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let owner = cx.pipeline()?;
    let done = owner.complete(&document).await?;
    let chunks = cx.database()?.chunks_of(done.document_id()).await?;
    ensure!(
        chunks
            .iter()
            .any(|chunk| chunk.text.contains(document.nonce())),
        "none of the {} chunks of the document contains its marker {}",
        chunks.len(),
        document.nonce(),
    );
    ensure!(
        finds(cx, &owner, document.nonce()).await?,
        "the owner searches for the document's marker {} and does not find it",
        document.nonce(),
    );
    let stranger = cx.pipeline()?;
    ensure!(
        !finds(cx, &stranger, document.nonce()).await?,
        "another tenant finds the document by its marker {}",
        document.nonce(),
    );
    Ok(())
}

/// Whether a search result contains the words.
async fn finds(cx: &Context, pipeline: &Pipeline, words: &str) -> CheckResult<bool> {
    let fields = &cx.contract().fields.search;
    let answer = pipeline
        .search(words, 5)
        .await?
        .expect_status(&cx.contract().statuses.searched)?
        .json()?;
    for hit in list_at(&fields.results, &answer, "the search response")? {
        let text = value_at(&fields.text, hit, "a search result")?;
        if text.as_str().is_some_and(|text| text.contains(words)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A job passes through every status in order, and each status leaves an event.
async fn every_transition_is_recorded(cx: &Context) -> CheckResult {
    let done = cx.pipeline()?.complete(&cx.document().build()).await?;
    let events = cx.database()?.events_of(done.job_id()).await?;
    let chain = &cx.contract().vocabulary.statuses;
    let entered: Vec<_> = events
        .iter()
        .filter_map(|event| event.code.as_ref())
        .filter(|code| chain.contains(code))
        .collect();
    // An event for the registration itself is optional.
    let steps: Vec<_> = entered
        .iter()
        .copied()
        .skip_while(|code| **code == chain[0])
        .collect();
    ensure_eq!(
        steps,
        chain.iter().skip(1).collect::<Vec<_>>(),
        "the events differ from the statuses of the job"
    );
    let in_order = events.is_sorted_by_key(|event| event.ts);
    ensure!(
        in_order,
        "the events of the job are not in chronological order"
    );
    let known = &cx.contract().vocabulary.events;
    for event in &events {
        ensure!(
            known.contains(&event.kind),
            "an event has the unknown type '{}'",
            event.kind
        );
    }
    Ok(())
}

/// The stored objects are the uploaded bytes and the parsed text, and the row has their hashes.
async fn stored_objects_match_their_hashes(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).table(3, 3).build();
    let done = cx.pipeline()?.complete(&document).await?;
    let row = row_of(cx, done.document_id()).await?;
    let storage = cx.storage()?;
    let layout = &cx.contract().storage;
    let raw = row.raw_path.as_deref().map(|path| layout.object(path));
    let raw = stored(&storage, raw, "uploaded bytes").await?;
    ensure!(
        raw == document.bytes(),
        "the stored object differs from the uploaded bytes"
    );
    ensure_eq!(
        row.file_sha256.as_deref(),
        Some(document.sha256()),
        "the row has a wrong hash of the bytes"
    );
    let parsed = row.parsed_path.as_deref().map(|path| layout.object(path));
    let parsed = stored(&storage, parsed, "parsed text").await?;
    let text = String::from_utf8_lossy(&parsed);
    ensure_eq!(
        text,
        document.expected_text(),
        "the parsed text differs from the text of the document"
    );
    let hash = hex::encode(Sha256::digest(&parsed));
    ensure_eq!(
        row.parsed_sha256,
        Some(hash),
        "the row has a wrong hash of the parsed text"
    );
    Ok(())
}

async fn row_of(cx: &Context, document: Uuid) -> CheckResult<DocumentRow> {
    let row = cx.database()?.document(document).await?;
    row.ok_or_else(|| Stop::violated(Finding::new(format!("document {document} has no row"))))
}

async fn stored(storage: &probe::Storage, path: Option<&str>, what: &str) -> CheckResult<Vec<u8>> {
    let missing = |how: &str| {
        Stop::violated(Finding::new(format!(
            "the {what} of a complete document {how}"
        )))
    };
    let path = path.ok_or_else(|| missing("have no path in its row"))?;
    storage
        .get(path)
        .await?
        .ok_or_else(|| missing(&format!("are not stored at '{path}'")))
}

/// The joined chunks are the parsed text: nothing is missing, repeated or reordered.
async fn joined_chunks_are_the_parsed_text(cx: &Context) -> CheckResult {
    let document = cx
        .document()
        .pages(3)
        .paragraphs(20)
        .table(4, 3)
        .unicode()
        .build();
    let done = cx.pipeline()?.complete(&document).await?;
    let chunks = cx.database()?.chunks_of(done.document_id()).await?;
    // The chunker may drop blank chunks and change line ends, so only words are compared.
    expect_whole_text(cx, &document.expected_text(), &chunks)?;
    let rules = &cx.contract().chunker;
    for chunk in &chunks {
        let (lines, chars) = (chunk.text.lines().count(), chunk.text.chars().count());
        ensure!(
            lines <= rules.max_lines,
            "chunk {} has {lines} lines",
            chunk.chunk_ord
        );
        ensure!(
            chars <= rules.max_chars,
            "chunk {} has {chars} characters",
            chunk.chunk_ord
        );
    }
    Ok(())
}

/// Every chunk has the embedder's vector for its text, also if the vectors arrive out of order.
async fn every_chunk_has_its_own_vector(cx: &Context) -> CheckResult {
    let document = cx.document().pages(2).paragraphs(30).build();
    let script = cx
        .standins()?
        .script_embedder(document.nonce(), EmbedderBehaviour::Reordered)
        .await?;
    let done = cx.pipeline()?.complete(&document).await?;
    script.withdraw().await?;
    let chunks = cx.database()?.chunks_of(done.document_id()).await?;
    ensure!(
        chunks.len() > 1,
        "a document of two pages has {} chunks",
        chunks.len()
    );
    let missing = chunks.iter().filter(|chunk| !chunk.has_vector()).count();
    ensure!(
        missing == 0,
        "{missing} of {} chunks have no vector",
        chunks.len()
    );
    let dimensions = cx.contract().embedder.dimensions;
    for chunk in &chunks {
        expect_embedder_vector(chunk, dimensions)?;
    }
    Ok(())
}

/// The ids and paths of a document are derived from user and bytes, except those that the contract says are random.
async fn ids_and_paths_are_deterministic(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(15).build();
    let tenant = cx.tenant()?;
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    let contract = cx.contract();
    let id = contract.document_id(tenant.user_id, document.sha256());
    let expected = id.unwrap_or(done.document_id());
    ensure_eq!(
        done.document_id(),
        expected,
        "the id of the document is not derived from user and hash"
    );
    let row = row_of(cx, expected).await?;
    let known: Vec<_> = contract.storage.known_keys().collect();
    for (read, key, path, expected, what) in [
        (
            read::document::RAW_PATH,
            "storage.raw_path",
            &row.raw_path,
            contract.raw_path(tenant.user_id, expected),
            "uploaded bytes",
        ),
        (
            read::document::PARSED_PATH,
            "storage.parsed_path",
            &row.parsed_path,
            contract.parsed_path(tenant.user_id, expected),
            "parsed text",
        ),
    ] {
        let path = path.as_deref().map(|path| contract.storage.object(path));
        ensure!(
            path == Some(&expected) || !contract.database.has(read) || !known.contains(&key),
            "the path of the {what} is {path:?}, expected '{expected}'"
        );
    }
    let chunks = cx.database()?.chunks_of(expected).await?;
    for (ord, chunk) in (0..).zip(&chunks) {
        ensure_eq!(
            chunk.chunk_ord,
            ord,
            "the chunks are not numbered consecutively from 0"
        );
        let id = contract.chunk_id(expected, ord).map(|id| id.to_string());
        ensure_eq!(
            chunk.chunk_id,
            id.unwrap_or_else(|| chunk.chunk_id.clone()),
            "the id of chunk {ord} is not derived from its document"
        );
    }
    Ok(())
}

/// The parser receives the document once, completely, and with the callback secret.
async fn a_document_is_submitted_to_the_parser_once(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    cx.pipeline()?.complete(&document).await?;
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    ensure_eq!(
        calls.len(),
        1,
        "the parser did not receive the document exactly once"
    );
    let call = &calls[0];
    ensure!(
        call.authorized,
        "the submission has another key than the parser's"
    );
    ensure_eq!(
        call.bytes,
        document.bytes().len() as u64,
        "the parser received another number of bytes"
    );
    let field = |name: &str| call.fields.get(name).map(String::as_str);
    let promised = &cx.contract().requests.parser;
    if let Some(result_type) = promised.result_type() {
        ensure_eq!(
            field("result_type"),
            Some(result_type),
            "the submission requests another result type"
        );
    }
    let instructions = field("parsingInstructions").unwrap_or_default().trim();
    ensure!(
        !promised.instructions || !instructions.is_empty(),
        "the submission contains no parsing instructions"
    );
    let rules = &cx.contract().callback;
    let secret = field(&rules.secret_field).unwrap_or_default();
    ensure!(
        !rules.auth.signs() || !secret.is_empty(),
        "the submission contains no callback secret ({})",
        rules.secret_field,
    );
    Ok(())
}

/// The OCR option of the upload changes the submission to the parser.
async fn the_ocr_option_reaches_the_parser(cx: &Context) -> CheckResult {
    let mut submissions = Vec::new();
    for ocr in [false, true] {
        let document = cx.document().build();
        let mut upload = document.upload().clone();
        upload.ocr = ocr;
        cx.pipeline()?.complete(upload).await?;
        let calls = cx.standins()?.parser_calls(document.sha256()).await?;
        let mut fields = calls.into_iter().next().map(|call| call.fields);
        for own in ["webhook_url", &cx.contract().callback.secret_field] {
            fields.as_mut().and_then(|fields| fields.remove(own));
        }
        submissions.push(fields.unwrap_or_default());
    }
    ensure!(
        submissions[0] != submissions[1],
        "the submission to the parser is the same with and without OCR: {:?}",
        submissions[0]
    );
    Ok(())
}
