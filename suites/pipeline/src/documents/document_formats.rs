//! Document formats: valid documents keep their exact text, and unreadable ones fail with the cause.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::{
    callbacks_for, expect_complete, expect_failure, expect_not_indexed, expect_provider_text,
    hits_if_searchable,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_valid_document_keeps_its_exact_text, VALID_FORMATS)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_broken_document_fails_with_its_cause, UNREADABLE_FORMATS)
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(many_chunks_are_embedded_in_batches)
            .requires([Http, Database, Storage, Standins])
            .reads([
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
                read::chunk::EMBED_MODEL,
            ])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// A format of valid documents.
pub(super) struct ValidFormat {
    name: &'static str,
    make: fn(DocumentBuilder) -> Document,
}

impl Named for ValidFormat {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// All formats of valid documents.
const VALID_FORMATS: &[ValidFormat] = &[
    ValidFormat {
        name: "one_page",
        make: DocumentBuilder::build,
    },
    ValidFormat {
        name: "one_paragraph",
        make: |document| document.headings(false).paragraphs(1).build(),
    },
    ValidFormat {
        name: "many_pages",
        make: |document| document.pages(20).paragraphs(6).build(),
    },
    ValidFormat {
        name: "no_headings",
        make: |document| document.headings(false).pages(3).paragraphs(9).build(),
    },
    ValidFormat {
        name: "tables",
        make: |document| document.pages(2).table(24, 5).build(),
    },
    ValidFormat {
        name: "unicode",
        make: |document| document.pages(2).unicode().build(),
    },
    ValidFormat {
        name: "right_to_left",
        make: |document| document.pages(2).right_to_left().unicode().build(),
    },
    ValidFormat {
        name: "one_long_line",
        make: |document| document.broken(Broken::OneLongLine),
    },
    ValidFormat {
        name: "a_large_file",
        make: |document| document.size_at_least(3 << 20).build(),
    },
];

/// A valid document completes with every character of its text, in chunks that follow the rules.
async fn a_valid_document_keeps_its_exact_text(cx: &Context, case: &ValidFormat) -> CheckResult {
    let document = (case.make)(cx.document());
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    chunks
        .iter()
        .try_for_each(|chunk| expect_chunk_rules(cx, chunk))
}

/// A chunk respects the limits, is not blank, and contains a heading in its first line only, where
/// the chunker splits at headings.
pub(super) fn expect_chunk_rules(cx: &Context, chunk: &ChunkRow) -> CheckResult {
    let (rules, ord) = (&cx.contract().chunker, chunk.chunk_ord);
    let (lines, chars) = (chunk.text.lines().count(), chunk.text.chars().count());
    ensure!(lines <= rules.max_lines, "chunk {ord} has {lines} lines");
    ensure!(
        chars <= rules.max_chars,
        "chunk {ord} has {chars} characters"
    );
    ensure!(!chunk.text.trim().is_empty(), "chunk {ord} is blank");
    let inside = chunk.text.lines().skip(1).find(|line| is_heading(line));
    ensure!(
        inside.is_none() || !rules.at_headings,
        "chunk {ord} contains a heading after its first line: {}",
        inside.unwrap_or_default()
    );
    Ok(())
}

/// One to six `#` characters, followed by a space or tab.
fn is_heading(line: &str) -> bool {
    let (marks, rest) = line.split_at(line.len() - line.trim_start_matches('#').len());
    (1..=6).contains(&marks.len()) && rest.starts_with([' ', '\t'])
}

/// A format of unreadable files.
pub(super) struct UnreadableFormat {
    name: &'static str,
    kind: Broken,
}

impl Named for UnreadableFormat {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// All formats of unreadable files.
const UNREADABLE_FORMATS: &[UnreadableFormat] = &[
    UnreadableFormat {
        name: "truncated",
        kind: Broken::Truncated,
    },
    UnreadableFormat {
        name: "encrypted",
        kind: Broken::Encrypted,
    },
    UnreadableFormat {
        name: "image_only",
        kind: Broken::ImageOnly,
    },
    UnreadableFormat {
        name: "not_a_pdf",
        kind: Broken::NotAPdf,
    },
];

/// An unreadable document fails, and its owner sees the error message of the parser, if it was asked and the contract promises it.
async fn a_broken_document_fails_with_its_cause(
    cx: &Context,
    case: &UnreadableFormat,
) -> CheckResult {
    let document = cx.document().broken(case.kind);
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let failed = &cx.contract().vocabulary.failures.parse;
    let job = expect_failure(cx, &pipeline, &accepted, failed).await?;
    // A pipeline may refuse a file that it can tell is unreadable without the parser.
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    if calls.iter().any(|call| call.answered == 200) {
        for (_, callback) in callbacks_for(cx, &document, 1).await? {
            let body: Value = serde_json::from_str(&callback.body)?;
            expect_provider_text(cx, &job, body["error"].as_str().unwrap_or_default())?;
        }
    }
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// The number of chunks beyond one batch.
const EXTRA_CHUNKS: usize = 44;

/// The least number of chunks: more than a query returns that has a limit by mistake.
const MIN_CHUNKS: usize = 300;

/// More chunks than one call to the embedder may contain are sent in several calls, and every chunk gets its
/// vector.
async fn many_chunks_are_embedded_in_batches(cx: &Context) -> CheckResult {
    let pages = (cx.contract().embedder.max_batch + EXTRA_CHUNKS).max(MIN_CHUNKS);
    let document = cx.document().pages(pages).paragraphs(1).build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let embedder = &cx.contract().embedder;
    let calls = cx.standins()?.embedder_calls(document.nonce()).await?;
    for call in &calls {
        let inputs = call.inputs.len();
        ensure!(
            inputs <= embedder.max_batch,
            "a call to the embedder contains {inputs} texts, but its limit is {}",
            embedder.max_batch
        );
        ensure_eq!(
            call.model,
            embedder.model,
            "the embedder is called with another model"
        );
        ensure_eq!(
            call.encoding_format.as_deref(),
            Some("float"),
            "the embedder is called with another encoding"
        );
        ensure!(call.authorized, "the embedder is called with another key");
    }
    for chunk in &chunks {
        ensure_eq!(
            chunk.embed_model.as_deref(),
            Some(embedder.model.as_str()),
            "chunk {} names another model",
            chunk.chunk_ord
        );
    }
    let last = chunks
        .last()
        .map(|chunk| chunk.text.trim())
        .unwrap_or_default();
    let text = &cx.contract().fields.search.text;
    for hit in hits_if_searchable(cx, &pipeline, last, 1).await? {
        let found = value_at(text, &hit, "a search result")?
            .as_str()
            .unwrap_or_default();
        ensure_eq!(
            found.trim(),
            last,
            "the last of {} chunks is not the best match for its own text",
            chunks.len()
        );
    }
    Ok(())
}
