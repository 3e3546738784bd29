//! Registers a document and uploads its bytes.

use cutover_contract::contract::{Endpoint, Upload};
use cutover_contract::probe::Request;
use serde_json::Value as Json;

use super::answers::{field_text, set_answer_fields, uuids};
use super::document::{LearntDocument, unique_pdf};
use super::error::LearnError;
use super::session::{Answer, Session};
use super::times::time_format;
use crate::init::draft::{Certainty, Draft};
use crate::init::field_names::find_fields;
use crate::init::leaves::{Kind, Leaf};

/// Registers a document. Fields that a refusal names are added once.
pub(super) async fn register(
    session: &Session<'_>,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<LearntDocument, LearnError> {
    let (bytes, line) = unique_pdf();
    let upload = Upload::pdf("learnt by cutover.pdf", bytes);
    let mut answer = post_upload(session, &upload, draft).await?;
    if !answer.is_success && add_missing_fields(&answer.body, draft) {
        answer = post_upload(session, &upload, draft).await?;
    }
    if !answer.is_success {
        return Err(LearnError::Refused {
            step: "register a document",
            answer: answer.summary,
            remedy: "correct the body with --set requests.upload.…=/pointer, and the token with --identity",
        });
    }
    draft.set(
        "statuses",
        "accepted",
        i64::from(answer.status),
        Certainty::Seen,
        "the status of the registration",
    );
    let found = set_answer_fields("fields.accepted", &answer.leaves, &[], draft);
    (session.show)(format!("  found {found}"));
    let document = registered(upload, line, &answer, draft)?;
    set_lifetime(&answer, draft);
    seen.extend(answer.leaves);
    Ok(document)
}

async fn post_upload(
    session: &Session<'_>,
    upload: &Upload,
    draft: &Draft,
) -> Result<Answer, LearnError> {
    let request = session.request(draft, Endpoint::Upload, ["", ""])?;
    let request = request.ok_or(LearnError::NoRoute("upload"))?;
    let body = session.contract(draft)?.requests.upload.body(upload);
    session.send("register", request.json(&body)).await
}

/// Adds the fields that a refusal in FastAPI's form calls missing. Returns whether there is any.
fn add_missing_fields(body: &Json, draft: &mut Draft) -> bool {
    let problems = body.get("detail").and_then(Json::as_array);
    let missing = problems.into_iter().flatten().filter_map(|problem| {
        let place = problem.get("loc")?.as_array()?.iter().skip(1);
        let pointer: String = place
            .filter_map(|name| Some(format!("/{}", name.as_str()?)))
            .collect();
        Some(Leaf::new(&pointer, Kind::Unknown))
    });
    let missing: Vec<_> = missing.filter(|leaf| !leaf.pointer.is_empty()).collect();
    let found = find_fields("requests.upload", &missing).into_iter();
    let found: Vec<_> = found
        .filter_map(|(key, pointer)| Some((key, pointer?)))
        .collect();
    for (key, pointer) in &found {
        draft.set(
            "requests.upload",
            key,
            pointer.clone(),
            Certainty::Seen,
            "the target asked for it",
        );
    }
    !found.is_empty()
}

/// Reads ids and the URL from the answer to a registration.
fn registered(
    upload: Upload,
    line: String,
    answer: &Answer,
    draft: &mut Draft,
) -> Result<LearntDocument, LearnError> {
    let table = "fields.accepted";
    let named =
        |draft: &Draft, key| field_text(draft, table, key, &answer.leaves).map(str::to_owned);
    let is_url = |leaf: &&Leaf| leaf.text().is_some_and(|text| text.starts_with("http"));
    if named(draft, "signed_url").is_none()
        && let Some(leaf) = answer.leaves.iter().find(is_url)
    {
        draft.set(
            table,
            "signed_url",
            leaf.pointer.clone(),
            Certainty::Guess,
            "the only URL in the answer",
        );
    }
    for key in ["document_id", "job_id"] {
        let taken =
            ["document_id", "job_id"].map(|other| draft.text(table, other).map(str::to_owned));
        let mut free = uuids(&answer.leaves)
            .filter(|(pointer, _)| !taken.iter().flatten().any(|own| own == pointer));
        // A target without jobs has one id for both.
        let pointer = free.next().map(|(pointer, _)| pointer.to_owned());
        let pointer = pointer.or_else(|| taken.into_iter().flatten().next());
        if let (None, Some(pointer)) = (named(draft, key), pointer) {
            draft.set(
                table,
                key,
                pointer,
                Certainty::Guess,
                "a UUID in the answer",
            );
        }
    }
    Ok(LearntDocument {
        upload,
        line,
        signed_url: named(draft, "signed_url")
            .ok_or(LearnError::NoField("upload URL", "signed_url"))?,
        document: named(draft, "document_id")
            .ok_or(LearnError::NoField("document id", "document_id"))?,
        job: named(draft, "job_id").ok_or(LearnError::NoField("job id", "job_id"))?,
    })
}

/// Sets the lifetime of the upload URL.
fn set_lifetime(answer: &Answer, draft: &mut Draft) {
    let pointer = draft
        .text("fields.accepted", "upload_expires_at")
        .map(str::to_owned);
    let leaf =
        pointer.and_then(|pointer| answer.leaves.iter().find(|leaf| leaf.pointer == pointer));
    if let Some((_, expires)) = leaf.and_then(time_format) {
        let seconds = (expires - time::OffsetDateTime::now_utc())
            .as_seconds_f64()
            .round();
        let source = "from the registration to the expiry";
        draft.set(
            "limits",
            "url_ttl",
            format!("{seconds:.0}s"),
            Certainty::Guess,
            source,
        );
    }
}

/// Uploads the bytes.
pub(super) async fn put(
    session: &Session<'_>,
    document: &LearntDocument,
) -> Result<(), LearnError> {
    let url = document.signed_url.parse();
    let url = url.map_err(|_| LearnError::Url(document.signed_url.clone()))?;
    let request = Request::put(url).body("application/pdf", document.upload.bytes.clone());
    let answer = session.send("upload", request).await?;
    if answer.is_success {
        return Ok(());
    }
    Err(LearnError::Refused {
        step: "upload the bytes",
        answer: answer.summary,
        remedy: "name the field of the URL with --set fields.accepted.signed_url=/pointer",
    })
}
