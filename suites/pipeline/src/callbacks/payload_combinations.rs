//! Payload combinations: shape, number of pages and notation of a callback are varied in pairs.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;
use serde_json::{Value, json};

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::findings::about;
use cutover_suite_support::outcomes::{self, expect_complete};
use cutover_suite_support::pairwise;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_combination_of_shape_and_size_yields_the_whole_text)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// The shapes of a payload.
const SHAPES: [&str; 4] = ["top_level", "text_only", "result_object", "result_pages"];
/// The numbers of pages: one digit, two digits and three.
const PAGES: [usize; 6] = [1, 2, 9, 10, 11, 100];
/// The number of the first page; none without numbers.
const NUMBERING: [Option<usize>; 3] = [Some(1), Some(0), None];
/// Whether the status comes first or last.
const STATUS_FIRST: [bool; 2] = [true, false];
/// Whether the payload has fields that the contract does not name.
const EXTRA_FIELDS: [bool; 2] = [false, true];
/// Whether JSON escapes every character outside of ASCII.
const ESCAPED: [bool; 2] = [false, true];

/// More pages have no headings, so that they do not become a chunk each.
const MAX_CHUNKED_PAGES: usize = 11;

/// Documents at a time, each of another user.
const AT_ONCE: usize = 6;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Combination {
    shape: &'static str,
    pages: usize,
    numbering: Option<usize>,
    status_first: bool,
    extra_fields: bool,
    escaped: bool,
}

/// The rows for a seed.
fn combinations(seed: u64) -> Vec<Combination> {
    let sizes = [SHAPES.len(), PAGES.len(), NUMBERING.len(), 2, 2, 2];
    let combination = |row: Vec<usize>| Combination {
        shape: SHAPES[row[0]],
        pages: PAGES[row[1]],
        numbering: NUMBERING[row[2]],
        status_first: STATUS_FIRST[row[3]],
        extra_fields: EXTRA_FIELDS[row[4]],
        escaped: ESCAPED[row[5]],
    };
    let rows = pairwise::rows(&sizes, seed);
    rows.into_iter().map(combination).collect()
}

impl Combination {
    /// The payload with these pages.
    fn payload(&self, pages: &[&str]) -> String {
        let text = pages.join("\n\n");
        let mut fields: Vec<(&str, Value)> = match self.shape {
            "top_level" => vec![("txt", json!(text)), ("md", json!(text))],
            "text_only" => vec![("txt", json!(text))],
            "result_object" => vec![("result", json!({ "md": text, "txt": text }))],
            _ => vec![("result", self.page_list(pages))],
        };
        if self.extra_fields {
            fields.insert(
                0,
                (
                    "job_metadata",
                    json!({ "pages": 3, "md": "no text", "credits_used": 1.5 }),
                ),
            );
            fields.push(("images", json!([])));
        }
        let at = if self.status_first { 0 } else { fields.len() };
        fields.insert(at, ("status", json!("completed")));
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{}:{value}", json!(name)));
        let body = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
        if self.escaped { escape(&body) } else { body }
    }

    fn page_list(&self, pages: &[&str]) -> Value {
        let page = |(index, text): (usize, &&str)| match self.numbering {
            Some(first) => json!({ "page": first + index, "md": text }),
            None => json!({ "md": text }),
        };
        pages.iter().enumerate().map(page).collect()
    }
}

/// The same JSON in ASCII.
fn escape(body: &str) -> String {
    let mut escaped = String::new();
    for character in body.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            escaped.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    escaped
}

/// For every pair of shape, size and notation of a payload, the document completes with all pages in their order.
async fn every_combination_of_shape_and_size_yields_the_whole_text(cx: &Context) -> CheckResult {
    let seed = u64::from_le_bytes(cx.random());
    let rows = combinations(seed);
    cx.observe(
        "pairs",
        format!("{} combinations from seed {seed}", rows.len()),
        json!(
            rows.iter()
                .map(|row| format!("{row:?}"))
                .collect::<Vec<_>>()
        ),
    );
    for rows in rows.chunks(AT_ONCE) {
        try_join_all(rows.iter().map(|row| async move {
            let whole = expect_whole(cx, row).await;
            whole.map_err(|stop| about(&format!("{row:?}"), stop))
        }))
        .await?;
    }
    Ok(())
}

/// The parser's own callback has the same text, so a late one of this check is harmless.
async fn expect_whole(cx: &Context, row: &Combination) -> CheckResult {
    let document = cx.document().pages(row.pages).paragraphs(1);
    let document = if row.pages > MAX_CHUNKED_PAGES {
        document.headings(false).build()
    } else {
        document.unicode().build()
    };
    let text = document.expected_text();
    let pages: Vec<_> = text.split("\n\n").collect();
    ensure_pages(&pages, row.pages)?;
    let body = row.payload(&pages);
    let awaiting = AwaitingCallback::with(cx, document).await?;
    let reply = awaiting.send(&body, &awaiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    expect_complete(
        cx,
        &awaiting.pipeline,
        &awaiting.accepted,
        &awaiting.document,
    )
    .await?;
    Ok(())
}

/// The fixture has as many pages as the row; anything else is an error of the check.
fn ensure_pages(pages: &[&str], expected: usize) -> CheckResult {
    if pages.len() == expected {
        return Ok(());
    }
    Err(anyhow::anyhow!("the document has {} pages, not {expected}", pages.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_is_json_with_its_pages() {
        for row in combinations(1) {
            let pages = ["# \u{e9}", "\u{1f980}"];
            let body = row.payload(&pages);
            let value: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(value["status"], "completed", "{body}");
            assert!(!row.escaped || body.is_ascii(), "{body}");
            assert!(value.to_string().contains('\u{1f980}'), "{body}");
        }
    }
}
