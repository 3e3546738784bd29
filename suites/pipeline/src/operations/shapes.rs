//! Shapes: a response contains exactly the fields of the contract, with values of the right type.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Endpoint, Shape};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use serde_json::Value;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(answers_have_their_shape, RESPONSES)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A response whose shape the contract may define.
pub(super) struct ResponseCase {
    name: &'static str,
    endpoint: Endpoint,
}

impl Named for ResponseCase {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        vec![self.endpoint]
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let shape = contract.shapes.get(&self.endpoint);
        let is_given = shape.is_some_and(Shape::is_given);
        (!is_given).then(|| format!("the contract defines no shape for '{}'", self.endpoint))
    }
}

const fn response(name: &'static str, endpoint: Endpoint) -> ResponseCase {
    ResponseCase { name, endpoint }
}

/// The responses whose shape the contract may define.
const RESPONSES: &[ResponseCase] = &[
    response("upload", Endpoint::Upload),
    response("job", Endpoint::Job),
    response("jobs", Endpoint::Jobs),
    response("document", Endpoint::Document),
    response("search", Endpoint::Search),
    response("limits", Endpoint::Limits),
];

/// A response contains all fields of the contract and no others: an extra field may disclose internal data.
async fn answers_have_their_shape(cx: &Context, case: &ResponseCase) -> CheckResult {
    let expected = cx.contract().shapes.get(&case.endpoint);
    let Some(expected) = expected.filter(|shape| shape.is_given()) else {
        let reason = format!("the contract defines no shape for '{}'", case.endpoint);
        return Err(Stop::not_applicable(reason));
    };
    let examples = examples(cx, case.endpoint).await?;
    if let Some(departures) = Shape::from_examples(&examples).differences(expected) {
        let summary = format!(
            "the response of '{}' differs from shapes.{0} of the contract",
            case.endpoint
        );
        let expected = Vec::from(expected.clone()).join("\n");
        return Err(Stop::violated(
            Finding::new(summary).comparing(expected, departures),
        ));
    }
    Ok(())
}

/// Example responses that together contain every field.
async fn examples(cx: &Context, endpoint: Endpoint) -> CheckResult<Vec<Value>> {
    let pipeline = cx.pipeline()?;
    let document = cx.document().paragraphs(4).build();
    let accepted = pipeline.register(document.upload()).await?;
    if endpoint == Endpoint::Upload {
        return Ok(vec![body(&accepted)?]);
    }
    if endpoint == Endpoint::Limits {
        return Ok(vec![body(&pipeline.limits().await?)?]);
    }
    // One document that completes and one that fails because of wrong bytes.
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
    replies.iter().map(body).collect()
}

fn body(reply: &Response) -> CheckResult<Value> {
    ensure!(
        reply.is_success(),
        "{} is answered with {}",
        reply.request,
        reply.summary()
    );
    reply.json()
}
