//! What the target refuses, and how: copies, unknown and malformed ids, missing tokens, too long pages.

use cutover_contract::contract::Endpoint;
use cutover_contract::probe::Request;
use serde_json::json;
use uuid::Uuid;

use super::answers::{Known, field_text, set_answer_fields};
use super::document::LearntDocument;
use super::error::LearnError;
use super::session::{Answer, Session};
use crate::init::draft::{Certainty, Draft};
use crate::init::leaves::Leaf;

/// Registers the same document again.
pub(super) async fn duplicate(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<(), LearnError> {
    let Some(request) = session.request(draft, Endpoint::Upload, ["", ""])? else {
        return Ok(());
    };
    let body = session
        .contract(draft)?
        .requests
        .upload
        .body(&document.upload);
    let answer = session.send("register again", request.json(&body)).await?;
    if !(400..500).contains(&answer.status) {
        (session.show)("  a copy of a document is not refused".to_owned());
        return Ok(());
    }
    set_status("duplicate", &answer, draft);
    let known = [Known {
        key: "document_title",
        value: &document.upload.filename,
    }];
    let found = set_answer_fields("fields.error", &answer.leaves, &known, draft);
    (session.show)(format!("  found {found}"));
    if let Some(word) = field_text(draft, "fields.error", "error_type", &answer.leaves) {
        let word = word.to_owned();
        draft.set(
            "vocabulary",
            "duplicate_error",
            word,
            Certainty::Seen,
            "the word of the refused copy",
        );
    }
    seen.extend(answer.leaves);
    Ok(())
}

/// Asks for what does not exist, and without a token.
pub(super) async fn refusals(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<(), LearnError> {
    let unknown = Uuid::new_v4().to_string();
    for (key, id) in [("unknown", unknown.as_str()), ("malformed_id", "not-an-id")] {
        if let Some(request) = session.request(draft, Endpoint::Job, [id, id])? {
            let answer = session.send(&key.replace('_', " "), request).await?;
            set_status(key, &answer, draft);
        }
    }
    if let Some(request) = session.request(draft, Endpoint::Job, document.ids())? {
        let anonymous = Request::get(request.url().clone());
        let answer = session.send("without a token", anonymous).await?;
        set_status("unauthenticated", &answer, draft);
        if answer.status == 401 && !answer.has_challenge {
            draft.set(
                "responses",
                "challenge",
                false,
                Certainty::Seen,
                "a refusal names no scheme of tokens",
            );
        }
        let put = Request::put(request.url().clone()).bearer(&session.tenant.token);
        let answer = session.send("another method", put).await?;
        set_status("wrong_method", &answer, draft);
    }
    if let Some(request) = session.request(draft, Endpoint::Upload, ["", ""])? {
        let answer = session
            .send("an empty registration", request.json(&json!({})))
            .await?;
        set_status("invalid", &answer, draft);
    }
    if let Some(request) = session.request(draft, Endpoint::Retry, document.ids())? {
        let answer = session.send("a retry of what is complete", request).await?;
        set_status("not_retryable", &answer, draft);
    }
    page_limit(session, draft, seen).await
}

/// Asks for a page that is longer than allowed.
async fn page_limit(
    session: &Session<'_>,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<(), LearnError> {
    let Some(request) = session.request(draft, Endpoint::Jobs, ["", ""])? else {
        return Ok(());
    };
    let answer = session
        .send("a page of 100 000", request.query([("limit", "100000")]))
        .await?;
    let pointer = draft.text("fields.jobs", "limit").map(str::to_owned);
    if answer.is_success {
        draft.set(
            "statuses",
            "page_limit",
            "capped",
            Certainty::Seen,
            "a longer page is shortened",
        );
        let limit = pointer.and_then(|pointer| answer.body.pointer(&pointer)?.as_i64());
        if let Some(limit) = limit.filter(|limit| *limit < 100_000) {
            draft.set(
                "limits",
                "page_max",
                limit,
                Certainty::Seen,
                "the length of the longest page",
            );
        }
    } else {
        set_status("page_too_large", &answer, draft);
    }
    seen.extend(answer.leaves);
    Ok(())
}

fn set_status(key: &str, answer: &Answer, draft: &mut Draft) {
    if (400..500).contains(&answer.status) {
        draft.set(
            "statuses",
            key,
            i64::from(answer.status),
            Certainty::Seen,
            "the status of the answer",
        );
    }
}
