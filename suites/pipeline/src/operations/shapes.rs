//! Shapes: an answer holds what was promised, each value of its kind, and nothing besides.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Shape};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use serde_json::Value;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(answers_have_their_shape, ANSWERS)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// An answer that has a shape.
pub(super) struct Answer {
    name: &'static str,
    endpoint: Endpoint,
}

impl Named for Answer {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn answer(name: &'static str, endpoint: Endpoint) -> Answer {
    Answer { name, endpoint }
}

/// The answers that have a shape.
const ANSWERS: &[Answer] = &[
    answer("upload", Endpoint::Upload),
    answer("job", Endpoint::Job),
    answer("jobs", Endpoint::Jobs),
    answer("document", Endpoint::Document),
    answer("search", Endpoint::Search),
    answer("limits", Endpoint::Limits),
];

/// Whatever an answer holds was promised, and whatever was promised is there: what nobody promised
/// may be somebody's secret.
async fn answers_have_their_shape(cx: &Context, case: &Answer) -> CheckResult {
    let promised = cx.contract().shapes.get(&case.endpoint);
    let Some(promised) = promised.filter(|shape| shape.is_given()) else {
        let reason = format!("the contract gives no shape to '{}'", case.endpoint);
        return Err(Stop::not_applicable(reason));
    };
    let examples = examples(cx, case.endpoint).await?;
    if let Some(departures) = Shape::of(&examples).departures(promised) {
        let summary = format!(
            "the answer of '{}' has another shape than shapes.{0} of the contract",
            case.endpoint
        );
        let promised = Vec::from(promised.clone()).join("\n");
        return Err(Stop::violated(
            Finding::new(summary).comparing(promised, departures),
        ));
    }
    Ok(())
}

/// Examples of an answer that between them hold everything that it may hold.
async fn examples(cx: &Context, endpoint: Endpoint) -> CheckResult<Vec<Value>> {
    let pipeline = cx.pipeline()?;
    let document = cx.document().paragraphs(4).build();
    let accepted = pipeline.register(document.upload()).await?;
    if endpoint == Endpoint::Upload {
        return Ok(vec![answered(accepted)?]);
    }
    if endpoint == Endpoint::Limits {
        return Ok(vec![answered(pipeline.limits().await?)?]);
    }
    // One that arrived and one whose bytes are not its own.
    let other = cx.pipeline()?;
    let done = other.complete(&document).await?;
    let failed = other.accept(cx.document().build().upload()).await?;
    other.put(&failed.signed_url, b"%PDF-".to_vec()).await?;
    other.until_final(&failed).await?;
    let replies = if endpoint == Endpoint::Document {
        vec![
            other.document(done.document_id()).await?,
            other.document(failed.document_id).await?,
        ]
    } else if endpoint == Endpoint::Job {
        vec![
            other.show(&done.accepted).await?,
            other.show(&failed).await?,
        ]
    } else if endpoint == Endpoint::Jobs {
        vec![other.jobs(&[]).await?, cx.pipeline()?.jobs(&[]).await?]
    } else {
        vec![
            other.search(document.nonce(), 3).await?,
            cx.pipeline()?.search(document.nonce(), 3).await?,
        ]
    };
    replies.into_iter().map(answered).collect()
}

fn answered(reply: Reply) -> CheckResult<Value> {
    reply.expect_status(200)?.json()
}
