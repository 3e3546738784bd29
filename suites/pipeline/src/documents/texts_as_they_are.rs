//! Texts as they are: addresses, markup, code, every script and every length arrive unchanged, in documents and queries.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use super::text_corpus::{KINDS, WHOLE_TEXTS, long_lines};
use cutover_suite_support::findings::about;
use cutover_suite_support::outcomes::words;
use cutover_suite_support::texts::{self, complete_with_text, expect_joined, expect_whole_text};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_kind_of_text_is_kept)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .severity(Critical),
        check!(long_lines_of_every_script_are_kept)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .severity(Critical),
        check!(an_unusual_text_is_kept)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(Critical),
        check!(a_query_of_any_text_reaches_the_embedder)
            .requires([Http, Standins])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(High),
    ]
}

/// A document with lines of every kind has each of them in its text and in its chunks.
async fn every_kind_of_text_is_kept(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let sections: Vec<_> = KINDS
        .iter()
        .map(|kind| {
            let lines = kind.lines.join("\n");
            (kind.name, format!("# Kind {}\n\n{lines}\n\n", kind.name))
        })
        .collect();
    expect_sections_kept(cx, &document, &sections).await
}

/// A line that is longer than a chunk is split between characters, whatever it consists of.
async fn long_lines_of_every_script_are_kept(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let lines = long_lines(cx.contract().chunker.max_chars);
    let section = |(name, line): (&'static str, String)| (name, format!("# Line\n\n{line}\n\n"));
    let sections: Vec<_> = lines.into_iter().map(section).collect();
    expect_sections_kept(cx, &document, &sections).await
}

/// The document completes with all sections; a finding names the section that differs.
async fn expect_sections_kept(
    cx: &Context,
    document: &Document,
    sections: &[(&'static str, String)],
) -> CheckResult {
    let text: String = sections.iter().map(|(_, text)| text.as_str()).collect();
    let pipeline = cx.pipeline()?;
    let accepted = complete_with_text(cx, &pipeline, document, &text).await?;
    let Err(stop) = expect_whole_text(cx, &pipeline, &accepted, &text).await else {
        return Ok(());
    };
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    // The first prefix of sections that the chunks do not contain ends with the changed one.
    let mut until = String::new();
    for (name, section) in sections {
        until += section;
        let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        if !words(&joined).starts_with(&words(&until)) {
            let stop = expect_joined(&text, &chunks).err().unwrap_or(stop);
            return Err(about(name, stop));
        }
    }
    Err(stop)
}

/// Users at a time: each document is a new user's, because few jobs of a user may be active.
const AT_ONCE: usize = 6;

/// A text that resembles data, an error or nothing at all is the text of its document.
async fn an_unusual_text_is_kept(cx: &Context) -> CheckResult {
    for texts in WHOLE_TEXTS.chunks(AT_ONCE) {
        try_join_all(texts.iter().map(|(name, text)| async move {
            let kept = expect_kept(cx, text).await;
            kept.map_err(|stop| about(name, stop))
        }))
        .await?;
    }
    Ok(())
}

async fn expect_kept(cx: &Context, text: &str) -> CheckResult {
    let (document, pipeline) = (cx.document().build(), cx.pipeline()?);
    let accepted = complete_with_text(cx, &pipeline, &document, text).await?;
    expect_whole_text(cx, &pipeline, &accepted, text).await?;
    Ok(())
}

/// Queries at a time.
const QUERIES_AT_ONCE: usize = 8;

/// A query is embedded as the user wrote it, whatever it contains.
async fn a_query_of_any_text_reaches_the_embedder(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let all: Vec<_> = KINDS
        .iter()
        .map(|kind| (kind.name, kind.lines.join(" ")))
        .chain(
            WHOLE_TEXTS
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned())),
        )
        .collect();
    for queries in all.chunks(QUERIES_AT_ONCE) {
        try_join_all(queries.iter().map(|(name, query)| {
            let asked = expect_embedded(cx, &pipeline, query);
            async move { asked.await.map_err(|stop| about(name, stop)) }
        }))
        .await?;
    }
    Ok(())
}

/// The embedder receives this query with a marker behind it.
async fn expect_embedded(cx: &Context, pipeline: &Pipeline, query: &str) -> CheckResult {
    let marker = hex::encode(cx.random::<12>());
    let query = format!("{query} {marker}");
    pipeline
        .search(&query, 1)
        .await?
        .expect_status(&cx.contract().statuses.searched)?;
    let calls = cx.standins()?.embedder_calls(&marker).await?;
    let mut inputs = calls.iter().flat_map(|call| &call.inputs);
    let Some(embedded) = inputs.find(|input| input.contains(&marker)) else {
        return Err(Stop::violated(Finding::new(
            "the embedder does not receive a query",
        )));
    };
    ensure_eq!(
        words(embedded),
        words(&query),
        "the embedder receives another query than the user wrote"
    );
    Ok(())
}
