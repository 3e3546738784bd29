//! Injection: nothing in a query, a path or a body becomes a part of a statement of the database.

use std::time::Instant;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::{Request, Response};

use super::client_headers::send;
use super::error_texts::expect_no_internals;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_input_becomes_a_part_of_a_statement, INPUTS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// An input with a statement in it.
pub(super) struct StatementInput {
    name: &'static str,
    /// The beginning of the input, from a valid value.
    text: &'static str,
}

impl Named for StatementInput {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn input(name: &'static str, text: &'static str) -> StatementInput {
    StatementInput { name, text }
}

const INPUTS: &[StatementInput] = &[
    input("a_quote", "'"),
    input("two_kinds_of_quotes", "'\"`;"),
    input("a_true_condition", "' OR '1'='1"),
    input("a_true_condition_and_a_comment", "' OR 1=1 -- "),
    input("a_true_condition_of_numbers", "1 OR 1=1"),
    input("a_condition_in_brackets", "') OR ('1'='1"),
    input("another_query", "' UNION SELECT NULL, NULL, NULL -- "),
    input("a_second_statement", "'; SELECT pg_sleep(3); -- "),
    input("a_pause", "' OR (SELECT pg_sleep(3)) IS NULL OR '1'='1"),
    input(
        "a_pause_of_numbers",
        "1 AND (SELECT 1 FROM pg_sleep(3)) = 1",
    ),
    input("a_dollar_quote", "$$ OR true OR $$"),
    input("an_escape", "\\' OR 1=1 -- "),
    input("an_order", "created_at DESC; SELECT 1"),
    input("an_operator", "{\"$ne\": null}"),
    input("a_filter", "not.is.null"),
];

/// Names of query parameters.
const PARAMETERS: &[&str] = &[
    "state",
    "status",
    "limit",
    "offset",
    "sort",
    "order",
    "order_by",
    "sort_by",
    "filter",
    "search",
    "q",
    "query",
    "page",
    "cursor",
    "filename",
    "document_id",
    "job_id",
    "user_id",
    "created_after",
    "select",
    "fields",
    "where",
];

/// The pause that some inputs ask for is longer than any of these requests takes.
const PAUSE: std::time::Duration = secs(3);

/// No such input shows another user's data, breaks a request, makes it pause, or is answered with a text of the database.
async fn no_input_becomes_a_part_of_a_statement(
    cx: &Context,
    case: &StatementInput,
) -> CheckResult {
    let owner = cx.pipeline()?;
    let document = cx.document().build();
    let theirs = owner.accept(document.upload()).await?;
    let stranger = cx.pipeline()?;
    let own = stranger.accept(cx.document().build().upload()).await?;
    let foreign = [theirs.job_id.to_string(), theirs.document_id.to_string()];
    for request in requests(cx, &stranger, case.text, &own)? {
        let began = Instant::now();
        let reply = send(&stranger, request).await?;
        expect_harmless(&reply, &foreign, document.nonce())?;
        let asks_to_pause = case.text.contains("pg_sleep");
        ensure!(
            !asks_to_pause || began.elapsed() < PAUSE || is_slow(&stranger).await?,
            "{} takes {:.1} s, the time that its input asks for",
            reply.request,
            began.elapsed().as_secs_f64()
        );
        expect_no_internals(&reply, case.text)?;
    }
    owner.view(&theirs).await?;
    Ok(())
}

/// Whether a plain request is as slow, because the machine or the service is.
async fn is_slow(pipeline: &Pipeline) -> CheckResult<bool> {
    let began = Instant::now();
    if pipeline.contract().has(Endpoint::Health) {
        pipeline.health().await?;
    }
    Ok(began.elapsed() >= PAUSE / 3)
}

/// Requests with the input in each place.
fn requests(
    cx: &Context,
    pipeline: &Pipeline,
    text: &str,
    own: &Accepted,
) -> CheckResult<Vec<Request>> {
    let contract = cx.contract();
    let mut requests = Vec::new();
    if contract.has(Endpoint::Jobs) {
        for name in PARAMETERS {
            for value in [text.to_owned(), format!("done{text}"), format!("5 {text}")] {
                let request = pipeline.request(Endpoint::Jobs, "")?;
                requests.push(request.query([(*name, value)]));
            }
        }
    }
    for endpoint in [Endpoint::Job, Endpoint::Document] {
        if contract.has(endpoint) {
            let id = pipeline.id_for(endpoint, own);
            requests.push(pipeline.request(endpoint, format!("{id}{text}"))?);
            requests.push(pipeline.request(endpoint, text)?);
        }
    }
    if contract.has(Endpoint::Search) {
        let mut body = contract.requests.search.body(text, 3);
        requests.push(pipeline.request(Endpoint::Search, "")?.json(&body));
        for field in ["filter", "where", "order", "document_id", "k", "user_id"] {
            body[field] = text.into();
        }
        requests.push(pipeline.request(Endpoint::Search, "")?.json(&body));
    }
    Ok(requests)
}

/// The response is no server error and shows nothing of the other user.
fn expect_harmless(reply: &Response, foreign: &[String], nonce: &str) -> CheckResult {
    let text = reply.text();
    ensure!(
        reply.status < 500,
        "{} is answered with a server error: {}",
        reply.request,
        reply.summary()
    );
    let shows = |word: &str| reply.is_success() && text.contains(word);
    ensure!(
        !shows(nonce) && !foreign.iter().any(|id| shows(id)),
        "{} shows another user's document: {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}
