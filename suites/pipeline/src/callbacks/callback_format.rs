//! The parser's callback: where it is sent, and what it may look like.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Endpoint;
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, ParserBehaviour, PayloadShape};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_callback_url_is_the_public_api)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(every_callback_shape_yields_the_same_text, SHAPES)
            .requires([Http, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// The address that the parser is told to call is the API's own, and it answers in time.
async fn the_callback_url_is_the_public_api(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    let call = cx
        .eventually("the parser is given the document", within, async || {
            Ok(standins
                .parser_calls(document.sha256())
                .await?
                .into_iter()
                .next())
        })
        .await?;
    let expected = pipeline
        .request(Endpoint::Callback, accepted.job_id)?
        .url()
        .clone();
    let told = call
        .fields
        .get("webhook_url")
        .map(String::as_str)
        .unwrap_or_default();
    ensure_eq!(
        told,
        expected.as_str(),
        "the parser is told to call back elsewhere"
    );
    let sent = cx
        .eventually("the callback is answered", within, async || {
            let calls = standins.parser_calls(document.sha256()).await?;
            Ok(calls.into_iter().flat_map(|call| call.callbacks).next())
        })
        .await?;
    ensure_eq!(
        sent.answered,
        Some(200),
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

/// A payload that parsers in use send.
pub(super) struct Shape {
    name: &'static str,
    shape: PayloadShape,
}

impl Named for Shape {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every payload that parsers in use send.
const SHAPES: &[Shape] = &[
    Shape {
        name: "top_level",
        shape: PayloadShape::TopLevel,
    },
    Shape {
        name: "text_only",
        shape: PayloadShape::TextOnly,
    },
    Shape {
        name: "result_object",
        shape: PayloadShape::ResultObject,
    },
    Shape {
        name: "result_pages",
        shape: PayloadShape::ResultPages,
    },
];

/// Whatever shape the parser's answer has, the same text is stored.
async fn every_callback_shape_yields_the_same_text(cx: &Context, case: &Shape) -> CheckResult {
    let document = cx.document().pages(3).paragraphs(6).build();
    let callback = Callback {
        shape: case.shape.clone(),
        ..Callback::default()
    };
    let behaviour = ParserBehaviour {
        callback,
        ..ParserBehaviour::default()
    };
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .await?;
    let tenant = cx.tenant()?;
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    script.withdraw().await?;
    let path = cx
        .contract()
        .parsed_path(tenant.user_id, done.document_id());
    let stored = cx.storage()?.get(&path).await?.unwrap_or_default();
    ensure_eq!(
        String::from_utf8_lossy(&stored),
        document.expected_text(),
        "the parsed text is not that of the document"
    );
    Ok(())
}
