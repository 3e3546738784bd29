//! Texts that the parser returns, and whether the chunks of a document contain them completely.

use cutover_fixtures::documents::Document;
use cutover_harness::contract::{Accepted, Read};
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use cutover_harness::standin::{ParserBehaviour, ScriptGuard};

use crate::outcomes::{self, expect_embedder_vector, parsed_text};

/// Makes the parser return this text for a document. Pages are separated by a form feed.
pub async fn parse_as(cx: &Context, document: &Document, text: &str) -> CheckResult<ScriptGuard> {
    let behaviour = ParserBehaviour::returning(text);
    let standins = cx.standins()?;
    Ok(standins.script_parser(document.sha256(), behaviour).await?)
}

/// Uploads a document for which the parser returns this text, and waits until it is complete.
pub async fn complete_with_text(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
    text: &str,
) -> CheckResult<Accepted> {
    let script = parse_as(cx, document, text).await?;
    let accepted = pipeline.complete(document).await?.accepted;
    script.withdraw().await?;
    Ok(accepted)
}

/// What [`expect_whole_text`] reads.
pub const WHOLE_TEXT: [Read; 2] = [read::CHUNKS, read::chunk::EMBEDDING.if_given()];

/// What [`expect_whole_text`] reads, and the file name.
pub const NAME_AND_TEXT: [Read; 3] = [
    read::document::FILENAME,
    read::CHUNKS,
    read::chunk::EMBEDDING.if_given(),
];

/// The stored text is this one, its chunks contain every character but white space between them, and each
/// chunk has its own vector. Returns the chunks.
pub async fn expect_whole_text(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    text: &str,
) -> CheckResult<Vec<ChunkRow>> {
    let stored = parsed_text(cx, pipeline, accepted).await?;
    if let Some(stored) = stored.filter(|stored| stored != text) {
        let (expected, actual) = first_difference(text, &stored);
        let summary = "the stored text differs from the parser's text";
        return Err(Stop::violated(
            Finding::new(summary).comparing(expected, actual),
        ));
    }
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    if cx.contract().chunker.overlap_chars > 0 {
        outcomes::expect_whole_text(cx, text, &chunks)?;
    } else {
        expect_joined(text, &chunks)?;
    }
    let dimensions = cx.contract().embedder.dimensions;
    let has_vectors = cx.contract().database.has(read::chunk::EMBEDDING);
    for chunk in &chunks {
        let ord = chunk.chunk_ord;
        ensure!(
            chunk.has_vector() || !has_vectors,
            "chunk {ord} has no vector"
        );
        expect_embedder_vector(chunk, dimensions)?;
    }
    Ok(chunks)
}

/// The chunks follow each other in the text, with nothing but white space between them.
pub fn expect_joined(text: &str, chunks: &[ChunkRow]) -> CheckResult {
    let mut rest = text;
    for chunk in chunks {
        let trimmed = chunk.text.trim();
        // A chunk begins where the one before it ended, so that equal passages are not confused.
        let ahead = rest.trim_start();
        let Some(after) = ahead.strip_prefix(trimmed) else {
            let summary = format!(
                "the text of chunk {} does not follow in the parsed text",
                chunk.chunk_ord
            );
            let (expected, actual) = first_difference(ahead, trimmed);
            return Err(Stop::violated(
                Finding::new(summary).comparing(expected, actual),
            ));
        };
        rest = after;
    }
    ensure!(
        rest.trim().is_empty(),
        "text after the last chunk is missing from the chunks: {:?}",
        beginning(rest.trim())
    );
    Ok(())
}

/// The characters shown of a long text.
const SHOWN: usize = 120;

fn beginning(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Both texts from shortly before their first difference, with escapes.
fn first_difference(expected: &str, actual: &str) -> (String, String) {
    let same = expected.chars().zip(actual.chars());
    let same = same.take_while(|(left, right)| left == right).count();
    let shown = |text: &str| {
        let part = text.chars().skip(same.saturating_sub(20)).take(SHOWN);
        // One by one, because in a text only the first combining mark is escaped.
        part.flat_map(char::escape_debug).collect::<String>()
    };
    (shown(expected), shown(actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(ord: i64, text: &str) -> ChunkRow {
        let row = serde_json::json!({
            "chunk_id": Uuid::nil(), "document_id": Uuid::nil(), "chunker_name": "c",
            "chunker_version": "1", "chunk_ord": ord, "text": text, "chunk_sha": "b",
            "embed_model": null, "vector_dim": null, "embedding": null,
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
        });
        serde_json::from_value(row).unwrap()
    }

    fn joined(text: &str, chunks: &[&str]) -> bool {
        let chunks: Vec<_> = (0..)
            .zip(chunks)
            .map(|(ord, text)| chunk(ord, text))
            .collect();
        expect_joined(text, &chunks).is_ok()
    }

    #[test]
    fn only_white_space_between_chunks_may_be_missing() {
        assert!(joined("a\n\n b\n", &["a\n\n", " b\n"]));
        assert!(joined("a\n\n b\n", &["a", "b"]));
        assert!(!joined("a b c", &["a", "c"]));
        assert!(!joined("a b c", &["a", "b"]));
        assert!(!joined("a b", &["a", "b", "b"]));
    }

    #[test]
    fn a_missing_copy_of_an_equal_passage_is_noticed() {
        assert!(joined("x y x y", &["x y", "x y"]));
        assert!(!joined("x y x y", &["x y"]));
        assert!(!joined("x x y", &["x y"]));
    }

    #[test]
    fn a_difference_is_shown_from_shortly_before_it() {
        let same = "s".repeat(50);
        let (expected, actual) = first_difference(&format!("{same}é"), &format!("{same}e\u{301}"));
        assert!(
            expected.ends_with('é') && actual.contains("\\u{301}"),
            "{actual}"
        );
    }
}
