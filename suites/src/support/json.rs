//! Reading answers by the contract's pointers, with a finding where something is missing.

use std::iter::{once, repeat_n};
use std::time::Duration;

use cutover_harness::contract::{Contract, Pointer};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use serde_json::Value;

/// The value at a pointer, or a finding that names what lacks it; a question about what the contract
/// says is not given does not apply.
pub(crate) fn at<'a>(pointer: &Pointer, document: &'a Value, what: &str) -> CheckResult<&'a Value> {
    pointer.find(document).ok_or_else(|| {
        if !pointer.is_given() {
            return Stop::not_applicable(format!("the contract says that {what} does not tell it"));
        }
        Stop::violated(
            Finding::new(format!("{what} has no {}", pointer.as_str()))
                .comparing(pointer.as_str(), document.to_string()),
        )
    })
}

/// The list at a pointer.
pub(crate) fn list_at<'a>(
    pointer: &Pointer,
    document: &'a Value,
    what: &str,
) -> CheckResult<&'a [Value]> {
    let found = at(pointer, document, what)?;
    found.as_array().map(Vec::as_slice).ok_or_else(|| {
        Stop::violated(Finding::new(format!(
            "{} of {what} is no list",
            pointer.as_str()
        )))
    })
}

/// The answer with this status, which comes sooner or later.
pub(crate) async fn becomes(
    cx: &Context,
    what: &str,
    within: Duration,
    status: u16,
    mut ask: impl AsyncFnMut() -> CheckResult<Reply>,
) -> CheckResult<Reply> {
    cx.eventually(what, within, async || {
        let reply = ask().await?;
        Ok(if reply.status == status {
            Look::Seen(reply)
        } else {
            Look::NotYet(reply.summary())
        })
    })
    .await
}

/// Of several requests at once one is taken, and the others conflict with it.
pub(crate) fn one_is_taken(replies: &[Reply], what: &str) -> CheckResult {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    let others = replies.len().saturating_sub(1);
    let expected: Vec<u16> = once(200).chain(repeat_n(409, others)).collect();
    ensure_eq!(
        statuses,
        expected,
        "of {} {what} not exactly one is taken",
        replies.len()
    );
    Ok(())
}

/// An error is JSON with a machine-readable word, a sentence and the id of its request.
pub(crate) fn is_a_described_error(reply: &Reply, contract: &Contract) -> CheckResult {
    let body = reply.json()?;
    let fields = &contract.fields.error;
    let kind = reply.header("content-type").unwrap_or_default();
    ensure!(
        kind.contains("json"),
        "the {} that answers {} calls itself '{kind}'",
        reply.status,
        reply.request
    );
    let text = reply.text();
    let inside = INSIDES.iter().find(|inside| text.contains(*inside));
    ensure!(
        inside.is_none(),
        "the {} that answers {} tells of the inside of the service: {text}",
        reply.status,
        reply.request
    );
    let promised = [&fields.error, &fields.message, &fields.request_id];
    for pointer in promised.into_iter().filter(|field| field.is_given()) {
        let what = format!("the {} that answers {}", reply.status, reply.request);
        let text = at(pointer, &body, &what)?.as_str().unwrap_or_default();
        ensure!(!text.is_empty(), "{} of {what} is empty", pointer.as_str());
    }
    Ok(())
}

/// What stands in traces, in statements and in the errors of drivers, and is no user's business.
const INSIDES: &[&str] = &[
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
