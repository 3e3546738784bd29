//! Callback format: the URL that the parser calls, and the payload shapes that the API accepts.

use std::collections::BTreeSet;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, ParserBehaviour, PayloadShape};

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{acknowledges, first_callback, parsed_text, search_hits};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_callback_url_is_the_public_api)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(every_callback_shape_yields_the_same_text, SHAPES)
            .requires([Http, Storage, Standins])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// The parser receives the callback URL of the public API, and the API answers the callback in time.
async fn the_callback_url_is_the_public_api(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    let call = cx
        .eventually("the parser receives the document", within, async || {
            Ok(standins
                .parser_calls(document.sha256())
                .await?
                .into_iter()
                .next())
        })
        .await?;
    let url = call
        .fields
        .get("webhook_url")
        .map(String::as_str)
        .unwrap_or_default();
    let expected = pipeline.callback_url(accepted.job_id, url)?;
    ensure_eq!(
        url,
        expected.as_str(),
        "the parser receives another callback URL"
    );
    let sent = first_callback(cx, &document).await?;
    ensure!(
        acknowledges(cx, &sent),
        "the parser's callback is not accepted: {}",
        sent.answer
    );
    let limit = cx.contract().timing.callback_within.as_secs_f64() * 1e3;
    ensure!(
        sent.elapsed_ms < limit,
        "the callback was answered after {:.0} ms",
        sent.elapsed_ms
    );
    Ok(())
}

/// A payload shape of real parsers.
pub(super) struct PayloadCase {
    name: &'static str,
    shape: PayloadShape,
}

impl Named for PayloadCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// All payload shapes of real parsers.
const SHAPES: &[PayloadCase] = &[
    PayloadCase {
        name: "top_level",
        shape: PayloadShape::TopLevel,
    },
    PayloadCase {
        name: "text_only",
        shape: PayloadShape::TextOnly,
    },
    PayloadCase {
        name: "result_object",
        shape: PayloadShape::ResultObject,
    },
    PayloadCase {
        name: "result_pages",
        shape: PayloadShape::ResultPages,
    },
];

/// Every payload shape results in the same stored text.
async fn every_callback_shape_yields_the_same_text(
    cx: &Context,
    case: &PayloadCase,
) -> CheckResult {
    let document = cx.document().pages(3).paragraphs(6).build();
    let callback = Callback {
        shape: case.shape.clone(),
        ..Callback::default()
    };
    let behaviour = ParserBehaviour::calling_back(callback);
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .await?;
    let tenant = cx.tenant()?;
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    script.withdraw().await?;
    let text = document.expected_text();
    let pipeline = cx.pipeline_as(tenant)?;
    if let Some(stored) = parsed_text(cx, &pipeline, &done.accepted).await? {
        ensure_eq!(
            stored,
            text,
            "the parsed text differs from the text of the document"
        );
        return Ok(());
    }
    expect_found_whole(cx, &pipeline, &document).await
}

/// The results of a search for the document contain each pair of neighbouring words of its text, except pairs that
/// the ends of chunks separate. The user has no other document.
async fn expect_found_whole(cx: &Context, pipeline: &Pipeline, document: &Document) -> CheckResult {
    let pointer = &cx.contract().fields.search.text;
    pointer.applies("the text of a search result")?;
    let hits = search_hits(cx, pipeline, document.nonce(), 100).await?;
    let mut found = BTreeSet::new();
    for hit in &hits {
        let text = value_at(pointer, hit, "a search result")?;
        found.extend(pairs(text.as_str().unwrap_or_default()));
    }
    let expected = pairs(&document.expected_text());
    let missing = expected.difference(&found).count();
    ensure!(
        missing < hits.len(),
        "{missing} of {} pairs of words of a document are in none of its {} chunks",
        expected.len(),
        hits.len()
    );
    Ok(())
}

/// The pairs of neighbouring words of a text.
fn pairs(text: &str) -> BTreeSet<(String, String)> {
    let words = text.split_whitespace().map(str::to_owned);
    words.clone().zip(words.skip(1)).collect()
}
