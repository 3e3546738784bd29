//! Expectations about HTTP responses: eventual status, concurrent requests, error bodies.

use std::time::Duration;

use cutover_harness::contract::{Contract, StatusCodes};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

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

/// An error response has the error code, the message and the request id that the contract promises, in JSON, and
/// exposes no internals.
pub fn expect_error_body(reply: &Response, contract: &Contract) -> CheckResult {
    let fields = &contract.fields.error;
    let text = reply.text();
    let internal = internals_in(&text).next();
    ensure!(
        internal.is_none(),
        "the {} response to {} exposes internals of the service: {text}",
        reply.status,
        reply.request
    );
    let promised = [&fields.error, &fields.message, &fields.request_id];
    let promised: Vec<_> = promised.into_iter().filter(|it| it.is_given()).collect();
    if promised.is_empty() {
        // Without a field to read, errors may have any form.
        return Ok(());
    }
    let kind = reply.header("content-type").unwrap_or_default();
    ensure!(
        kind.contains("json"),
        "the {} response to {} has Content-Type '{kind}'",
        reply.status,
        reply.request
    );
    let body = reply.json()?;
    for pointer in promised {
        let what = format!("the {} response to {}", reply.status, reply.request);
        value_at(pointer, &body, &what)?;
        // The message may be a list of messages, as FastAPI writes them.
        let text = pointer.find_text(&body);
        ensure!(text.is_some(), "{} of {what} is empty", pointer.as_str());
    }
    Ok(())
}

/// The user is above a limit, and the response says when to try again, if the contract promises it.
pub fn expect_retry_after(refusal: &Response, contract: &Contract) -> CheckResult {
    expect_error_body(refusal, contract)?;
    if !contract.responses.retry_after {
        return Ok(());
    }
    let shown = refusal.header("retry-after").unwrap_or_default();
    let wait = retry_after_seconds(shown, OffsetDateTime::now_utc());
    ensure!(
        wait.is_some_and(|seconds| (0..=DAY_S).contains(&seconds)),
        "the refusal does not say when to retry: Retry-After is '{shown}'"
    );
    Ok(())
}

/// The longest wait for a daily limit, in seconds.
const DAY_S: i64 = 24 * 60 * 60;

/// The seconds of a `Retry-After`: a number above zero, or a date in the future.
fn retry_after_seconds(text: &str, now: OffsetDateTime) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return (seconds > 0).then_some(seconds);
    }
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    // The date has whole seconds, so a short wait may round to the present.
    Some((date - now).whole_seconds())
}

/// Parts of stack traces, SQL statements and driver errors, which users must not see.
const INTERNALS: &[&str] = &[
    ".rs:",
    ".py\", line",
    "Traceback (most recent",
    "site-packages/",
    "dist-packages/",
    "/usr/lib/python",
    "stack backtrace",
    "panicked at",
    ".cargo/registry",
    "goroutine 1 [",
    "runtime/panic.go",
    "Caused by: java.",
    "at java.",
    "at org.springframework",
    "node_modules/",
    "at Object.<anonymous>",
    "(node:internal",
    "System.NullReferenceException",
    "/usr/src/app",
    "KeyError:",
    "AttributeError:",
    "NoneType",
    "TypeError: ",
    "SELECT ",
    "INSERT INTO",
    "SQLSTATE",
    "syntax error at or near",
    "unterminated quoted string",
    "violates foreign key",
    "violates check constraint",
    "violates not-null constraint",
    "duplicate key value violates",
    "invalid input syntax for type",
    "pg_catalog",
    "sqlx::",
    "asyncpg",
    "psycopg",
    "sqlalchemy",
    "org.postgresql",
];

/// The parts of a response that only the inside of a service has: frames of stack traces, statements and errors of
/// databases, and paths of installations.
pub fn internals_in(text: &str) -> impl Iterator<Item = &'static str> {
    let found = INTERNALS
        .iter()
        .filter(|internal| text.contains(**internal));
    found.copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_wait_is_a_number_or_a_date() {
        let now = datetime!(2026-11-27 10:00:00 UTC);
        let seconds = |text| retry_after_seconds(text, now);
        assert_eq!(seconds("5"), Some(5));
        assert_eq!(seconds("Fri, 27 Nov 2026 10:01:00 GMT"), Some(60));
        for wrong in ["0", "-3", "soon", ""] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
