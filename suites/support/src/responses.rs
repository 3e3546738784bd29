//! Expectations about HTTP responses: eventual status, concurrent requests, error bodies.

use std::time::Duration;

use cutover_harness::contract::{Contract, StatusCodes};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;

use crate::json::value_at;

/// Repeats a request until its response has this status.
pub async fn wait_for_status(
    cx: &Context,
    what: &str,
    within: Duration,
    status: u16,
    mut ask: impl AsyncFnMut() -> CheckResult<Response>,
) -> CheckResult<Response> {
    cx.eventually(what, within, async || {
        let reply = ask().await?;
        Ok(if reply.status == status {
            Poll::Ready(reply)
        } else {
            Poll::Pending(reply.summary())
        })
    })
    .await
}

/// One of several concurrent requests succeeds, and the others are answered with this refusal.
pub fn expect_one_success(replies: &[Response], what: &str, refusal: &StatusCodes) -> CheckResult {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    let (succeeded, others): (Vec<_>, Vec<_>) = statuses
        .into_iter()
        .partition(|status| (200..300).contains(status));
    ensure_eq!(
        succeeded.len(),
        1,
        "not exactly one of {} {what} succeeds",
        replies.len()
    );
    ensure!(
        others.iter().all(|status| refusal.include(*status)),
        "of {} {what}, those that do not succeed are answered with {others:?} instead of {refusal}",
        replies.len()
    );
    Ok(())
}

/// An error response is JSON with an error code, a message and the request id, and exposes no internals.
pub fn expect_error_body(reply: &Response, contract: &Contract) -> CheckResult {
    let body = reply.json()?;
    let fields = &contract.fields.error;
    let kind = reply.header("content-type").unwrap_or_default();
    ensure!(
        kind.contains("json"),
        "the {} response to {} has Content-Type '{kind}'",
        reply.status,
        reply.request
    );
    let text = reply.text();
    let internal = INTERNALS.iter().find(|internal| text.contains(*internal));
    ensure!(
        internal.is_none(),
        "the {} response to {} exposes internals of the service: {text}",
        reply.status,
        reply.request
    );
    let promised = [&fields.error, &fields.message, &fields.request_id];
    for pointer in promised.into_iter().filter(|field| field.is_given()) {
        let what = format!("the {} response to {}", reply.status, reply.request);
        value_at(pointer, &body, &what)?;
        // The message may be a list of messages, as FastAPI writes them.
        let text = pointer.find_text(&body);
        ensure!(text.is_some(), "{} of {what} is empty", pointer.as_str());
    }
    Ok(())
}

/// Parts of stack traces, SQL statements and driver errors, which users must not see.
const INTERNALS: &[&str] = &[
    ".rs:",
    ".py\", line",
    "Traceback (most recent",
    "stack backtrace",
    "panicked at",
    "SELECT ",
    "INSERT INTO",
    "sqlx::",
    "asyncpg",
    "psycopg",
];
