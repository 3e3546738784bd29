//! Documents of every kind: what is sound arrives to the letter, what is broken fails with its cause.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{
    callbacks_for, expect_cause, expect_complete, expect_failure, expect_not_indexed, search_hits,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_valid_document_keeps_its_exact_text, SOUND)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_broken_document_fails_with_its_cause, BROKEN)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(many_chunks_are_embedded_in_batches)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// A kind of sound document.
pub(super) struct Sound {
    name: &'static str,
    make: fn(DocumentBuilder) -> Document,
}

impl Named for Sound {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind of sound document.
const SOUND: &[Sound] = &[
    Sound {
        name: "one_page",
        make: DocumentBuilder::build,
    },
    Sound {
        name: "one_paragraph",
        make: |document| document.headings(false).paragraphs(1).build(),
    },
    Sound {
        name: "many_pages",
        make: |document| document.pages(20).paragraphs(6).build(),
    },
    Sound {
        name: "no_headings",
        make: |document| document.headings(false).pages(3).paragraphs(9).build(),
    },
    Sound {
        name: "tables",
        make: |document| document.pages(2).table(24, 5).build(),
    },
    Sound {
        name: "unicode",
        make: |document| document.pages(2).unicode().build(),
    },
    Sound {
        name: "right_to_left",
        make: |document| document.pages(2).right_to_left().unicode().build(),
    },
    Sound {
        name: "one_long_line",
        make: |document| document.broken(Broken::OneLongLine),
    },
    Sound {
        name: "a_large_file",
        make: |document| document.size_at_least(3 << 20).build(),
    },
];

/// A sound document arrives with every character, in chunks that keep the rules.
async fn a_valid_document_keeps_its_exact_text(cx: &Context, case: &Sound) -> CheckResult {
    let document = (case.make)(cx.document());
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    chunks
        .iter()
        .try_for_each(|chunk| expect_chunk_rules(cx, chunk))
}

/// A chunk is as small as agreed, says something, and a heading stands at its beginning or not in it.
pub(super) fn expect_chunk_rules(cx: &Context, chunk: &ChunkRow) -> CheckResult {
    let (rules, ord) = (&cx.contract().chunker, chunk.chunk_ord);
    let (lines, chars) = (chunk.text.lines().count(), chunk.text.chars().count());
    ensure!(lines <= rules.max_lines, "chunk {ord} has {lines} lines");
    ensure!(
        chars <= rules.max_chars,
        "chunk {ord} has {chars} characters"
    );
    ensure!(!chunk.text.trim().is_empty(), "chunk {ord} says nothing");
    let inside = chunk.text.lines().skip(1).find(|line| is_heading(line));
    ensure!(
        inside.is_none(),
        "a heading does not begin its chunk, but stands within chunk {ord}: {}",
        inside.unwrap_or_default()
    );
    Ok(())
}

/// Up to six signs, and then a blank.
fn is_heading(line: &str) -> bool {
    let (signs, rest) = line.split_at(line.len() - line.trim_start_matches('#').len());
    (1..=6).contains(&signs.len()) && rest.starts_with([' ', '\t'])
}

/// A kind of file that nobody can read.
pub(super) struct Unreadable {
    name: &'static str,
    kind: Broken,
}

impl Named for Unreadable {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind of file that nobody can read.
const BROKEN: &[Unreadable] = &[
    Unreadable {
        name: "truncated",
        kind: Broken::Truncated,
    },
    Unreadable {
        name: "encrypted",
        kind: Broken::Encrypted,
    },
    Unreadable {
        name: "image_only",
        kind: Broken::ImageOnly,
    },
    Unreadable {
        name: "not_a_pdf",
        kind: Broken::NotAPdf,
    },
];

/// What nobody can read fails, and its owner is told what the parser said of it.
async fn a_broken_document_fails_with_its_cause(cx: &Context, case: &Unreadable) -> CheckResult {
    let document = cx.document().broken(case.kind);
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let failed = &cx.contract().vocabulary.failures.parse;
    let job = expect_failure(cx, &pipeline, &accepted, failed).await?;
    for (_, callback) in callbacks_for(cx, &document, 1).await? {
        let said: Value = serde_json::from_str(&callback.body)?;
        expect_cause(&job, said["error"].as_str().unwrap_or_default())?;
    }
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// How many chunks more than fit into one call to the embedder.
const BEYOND: usize = 44;

/// Chunks beyond what the embedder takes at once go to it in several calls, each
/// as agreed, and every one of them gets its vector.
async fn many_chunks_are_embedded_in_batches(cx: &Context) -> CheckResult {
    let pages = cx.contract().embedder.max_batch + BEYOND;
    let document = cx.document().pages(pages).paragraphs(1).build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let agreed = &cx.contract().embedder;
    let calls = cx.standins()?.embedder_calls(document.nonce()).await?;
    for call in &calls {
        let inputs = call.inputs.len();
        ensure!(
            inputs <= agreed.max_batch,
            "the embedder is given {inputs} texts at once, and takes {}",
            agreed.max_batch
        );
        ensure_eq!(
            call.model,
            agreed.model,
            "the embedder is asked for another model"
        );
        ensure_eq!(
            call.encoding_format.as_deref(),
            Some("float"),
            "the embedder is asked for another encoding"
        );
        ensure!(call.authorized, "the embedder is given another key");
    }
    for chunk in &chunks {
        ensure_eq!(
            chunk.embed_model.as_deref(),
            Some(agreed.model.as_str()),
            "chunk {} names another model",
            chunk.chunk_ord
        );
    }
    let last = chunks
        .last()
        .map(|chunk| chunk.text.trim())
        .unwrap_or_default();
    let text = &cx.contract().fields.search.text;
    for hit in search_hits(cx, &pipeline, last, 1).await? {
        let found = value_at(text, &hit, "a search result")?
            .as_str()
            .unwrap_or_default();
        ensure_eq!(
            found.trim(),
            last,
            "the last of {} chunks is not the first to be found by its own words",
            chunks.len()
        );
    }
    Ok(())
}
