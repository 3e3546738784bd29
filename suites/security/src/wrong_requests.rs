//! Wrong requests: one thing at a time is wrong with the body, the id or a parameter.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::{Request, Response};
use serde_json::{Value, json};

use super::client_headers::send;

/// A request to an endpoint.
pub(super) type WrongRequest = (Endpoint, Request);

/// Sends a request. A registration that is accepted all the same is recorded, so that it is removed after the check.
pub(super) async fn send_to(pipeline: &Pipeline, request: WrongRequest) -> CheckResult<Response> {
    let (endpoint, request) = request;
    if endpoint == Endpoint::Upload {
        return pipeline.ask(endpoint, request).await;
    }
    send(pipeline, request).await
}

/// Requests with each value in each field, without each field, and with ids and parameters that are none.
pub(super) fn wrong_requests(cx: &Context, pipeline: &Pipeline) -> CheckResult<Vec<WrongRequest>> {
    let requests = &cx.contract().requests;
    let registration = requests.upload.body(cx.document().build().upload());
    let search = requests.search.body("policy", 3);
    let mut wrong = with_wrong_bodies(pipeline, Endpoint::Upload, &registration)?;
    wrong.extend(with_wrong_bodies(pipeline, Endpoint::Search, &search)?);
    wrong.extend(with_wrong_ids(pipeline)?);
    wrong.extend(with_wrong_parameters(pipeline)?);
    Ok(wrong)
}

/// Values of every type, and values that a type cannot hold.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(20_000)),
        json!("0001-01-01"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"a": {"b": null}}),
    ]
}

/// Texts that are no object.
const TEXTS: [&str; 7] = [
    "",
    "{",
    "null",
    "[]",
    "\"text\"",
    "{\"filename\":",
    "\u{feff}{}",
];

fn with_wrong_bodies(
    pipeline: &Pipeline,
    endpoint: Endpoint,
    valid: &Value,
) -> CheckResult<Vec<WrongRequest>> {
    if !pipeline.contract().has(endpoint) {
        return Ok(Vec::new());
    }
    let template = pipeline.request(endpoint, "")?;
    let mut requests: Vec<_> = TEXTS
        .iter()
        .map(|text| (endpoint, template.clone().body("application/json", *text)))
        .collect();
    for (field, _) in valid.as_object().into_iter().flatten() {
        let mut without = valid.clone();
        without.as_object_mut().map(|fields| fields.remove(field));
        let changed = values().into_iter().map(|value| {
            let mut body = valid.clone();
            body[field] = value;
            body
        });
        let bodies = changed.chain([without]);
        requests.extend(bodies.map(|body| (endpoint, template.clone().json(&body))));
    }
    Ok(requests)
}

fn with_wrong_ids(pipeline: &Pipeline) -> CheckResult<Vec<WrongRequest>> {
    let long = "x".repeat(300);
    let nil = Uuid::nil().to_string();
    let mut requests = Vec::new();
    for endpoint in [
        Endpoint::Job,
        Endpoint::Document,
        Endpoint::Retry,
        Endpoint::DeleteDocument,
    ] {
        if pipeline.contract().has(endpoint) {
            for id in ["0", "null", &long, "%", "\u{0}", &nil] {
                requests.push((endpoint, pipeline.request(endpoint, id)?));
            }
        }
    }
    Ok(requests)
}

fn with_wrong_parameters(pipeline: &Pipeline) -> CheckResult<Vec<WrongRequest>> {
    let mut requests = Vec::new();
    if pipeline.contract().has(Endpoint::Jobs) {
        for name in ["limit", "offset", "state"] {
            for value in [
                "",
                "-1",
                "99999999999999999999",
                "1e9",
                "[]",
                "\u{0}",
                "None",
            ] {
                let request = pipeline.request(Endpoint::Jobs, "")?;
                requests.push((Endpoint::Jobs, request.query([(name, value)])));
            }
        }
    }
    Ok(requests)
}
