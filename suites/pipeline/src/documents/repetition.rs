//! Repetition: equal and nearly equal passages of one document are all kept, embedded and found.

use std::collections::BTreeSet;

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use cutover_harness::standin::{Callback, ParsedText, ParserBehaviour, PayloadShape};

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::search_hits;
use cutover_suite_support::texts::{self, complete_with_text, expect_whole_text};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(repeated_passages_are_all_kept_and_found)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .severity(Critical),
        check!(repeated_pages_are_all_kept)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// The chunks that may be as similar to a passage as its copies: a search trims its text, and the embedder does not.
const OTHERS: usize = 5;

/// The copies of the section that is searched for.
const COPIES: usize = 9;
/// The lines of a passage of equal lines: more than two chunks of them.
const EQUAL_LINES: usize = 25;

/// A text whose passages repeat each other in every way that real documents do.
fn repetitive_text(word: &str) -> String {
    let section = |title: &str, body: &str| format!("# {title}\n\n{body}\n\n");
    let terms = repeated_section(word);
    let long = "The insured event is covered under the conditions of the policy ".repeat(9);
    let mut text = section("Contents", &format!("Terms of {word}"));
    text += &terms.repeat(COPIES);
    // The same sections in turn.
    text += &(section("Part A", "Water damage.") + &section("Part B", "Fire damage.")).repeat(3);
    for n in 1..=4 {
        // Equal beginnings, equal ends, equal headings and equal bodies.
        text += &section("Cover", &format!("{long}{n}"));
        text += &section("Cover", &format!("{n} {long}"));
        text += &section("Exclusions", &format!("Clause {n} does not apply."));
        text += &section(
            &format!("Annex {n}"),
            "This page is intentionally left blank.",
        );
    }
    for almost in [
        "Sum: 1,000",
        "sum: 1,000",
        "Sum:  1,000",
        "Sum: 1.000",
        "Sum 1,000",
        "Sum: 1,000.",
    ] {
        text += &section("Totals", almost);
    }
    text += &section("Lines", &"n/a\n".repeat(EQUAL_LINES));
    text += &section("Paragraphs", &"Not covered.\n\n".repeat(6));
    text += &section(
        "Table",
        &format!("| a | b |\n|---|---|\n{}", "| 0 | 0 |\n".repeat(14)),
    );
    text += &section("Words", &"very ".repeat(120));
    // The end repeats the beginning.
    text + &terms
}

/// The section that is repeated most often.
fn repeated_section(word: &str) -> String {
    format!("# Terms\n\nThe excess of {word} is 500 per claim.\n\n")
}

/// Every copy of a repeated passage is stored in its place, has its vector, is counted and is found.
async fn repeated_passages_are_all_kept_and_found(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let text = repetitive_text(document.nonce());
    let pipeline = cx.pipeline()?;
    let accepted = complete_with_text(cx, &pipeline, &document, &text).await?;
    let chunks = expect_whole_text(cx, &pipeline, &accepted, &text).await?;
    expect_numbered(&chunks)?;
    expect_count(cx, &pipeline, &accepted, chunks.len()).await?;
    expect_all_copies_found(cx, &pipeline, &repeated_section(document.nonce()), &chunks).await
}

/// Chunks are numbered from 0 without gaps, and their ids differ.
fn expect_numbered(chunks: &[ChunkRow]) -> CheckResult {
    let ids: BTreeSet<_> = chunks.iter().map(|chunk| &chunk.chunk_id).collect();
    ensure_eq!(ids.len(), chunks.len(), "equal chunks share an id");
    let numbered = (0..).zip(chunks).all(|(ord, chunk)| chunk.chunk_ord == ord);
    ensure!(
        numbered,
        "the numbers of a repetitive document's chunks have gaps"
    );
    Ok(())
}

/// The document route counts equal chunks as often as they occur.
async fn expect_count(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    chunks: usize,
) -> CheckResult {
    let field = &cx.contract().fields.document.chunk_count;
    if !field.is_given() {
        return Ok(());
    }
    let shown = pipeline.document(accepted.document_id).await;
    let shown = match shown {
        Err(Stop::Skip { .. }) => return Ok(()),
        shown => shown?.expect_status(200)?.json()?,
    };
    let counted = value_at(field, &shown, "a document")?.as_u64();
    ensure_eq!(
        counted,
        Some(chunks as u64),
        "the chunks of a repetitive document are counted wrongly"
    );
    Ok(())
}

/// The chunks with a text.
fn copies_of<'a>(text: &str, chunks: &'a [ChunkRow]) -> Vec<&'a ChunkRow> {
    let is_copy = |chunk: &&ChunkRow| chunk.text.trim() == text.trim();
    chunks.iter().filter(is_copy).collect()
}

/// A search for as many results as there are copies of a text returns each of them.
async fn expect_all_copies_found(
    cx: &Context,
    pipeline: &Pipeline,
    section: &str,
    chunks: &[ChunkRow],
) -> CheckResult {
    let contract = cx.contract();
    if !contract.has(Endpoint::Search) || !contract.requests.search.k.is_given() {
        return Ok(());
    }
    let copies = if contract.chunker.at_headings {
        let copies = copies_of(section.trim(), chunks);
        ensure!(
            copies.len() > COPIES,
            "{} copies of a section are stored",
            copies.len()
        );
        copies
    } else {
        // Where a chunk begins depends on what is before it, so a section need not be a chunk.
        let repeated = chunks.iter().map(|chunk| copies_of(&chunk.text, chunks));
        repeated.max_by_key(Vec::len).unwrap_or_default()
    };
    if copies.is_empty() {
        return Ok(());
    }
    let id = &contract.fields.search.chunk_id;
    let hits = search_hits(
        cx,
        pipeline,
        copies[0].text.trim(),
        u32::try_from(copies.len() + OTHERS)?,
    )
    .await?;
    let ids = hits.iter().filter_map(|hit| id.find(hit)?.as_str());
    let found: BTreeSet<_> = ids.map(str::to_owned).collect();
    let expected: BTreeSet<_> = copies.iter().map(|chunk| chunk.chunk_id.clone()).collect();
    ensure!(
        hits.len() >= copies.len(),
        "a search for a repeated passage returns {} of its {} copies",
        hits.len(),
        copies.len()
    );
    ensure!(
        !id.is_given() || found.is_superset(&expected),
        "a search for a repeated passage does not return every copy"
    );
    Ok(())
}

/// Pages that are equal to each other are all in the text, in their order.
async fn repeated_pages_are_all_kept(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let word = document.nonce();
    let form = format!("# Form\n\nPolicy {word}\n\nSigned:");
    let pages = [
        &form,
        &form,
        "# Claim\n\nOne",
        "# Claim\n\nTwo",
        &form,
        "Continued",
        "Continued",
        "# Claim\n\nOne",
        &form,
        &form,
        &form,
        "Continued",
        "# End\n\nPolicy",
    ];
    let behaviour = ParserBehaviour::calling_back(Callback {
        shape: PayloadShape::ResultPages,
        text: ParsedText::Literal {
            text: pages.join("\u{c}"),
        },
        ..Callback::default()
    });
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.complete(&document).await?.accepted;
    script.withdraw().await?;
    let chunks = expect_whole_text(cx, &pipeline, &accepted, &pages.join("\n\n")).await?;
    expect_numbered(&chunks)
}
