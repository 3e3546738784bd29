//! Follows the document to its last status.

use std::sync::Mutex;
use std::time::Duration;

use cutover_contract::contract::Endpoint;
use cutover_contract::probe::{Poll, Request, eventually};
use serde_json::Value as Json;
use toml::Value;

use super::answers::{Known, set_answer_fields};
use super::document::LearntDocument;
use super::error::LearnError;
use super::session::{Answer, Session};
use crate::init::draft::{Certainty, Draft};
use crate::init::leaves::Leaf;
use crate::init::vocabulary::{is_complete, is_failure, set_words};

/// The word of the contract for a status that is null.
const UNSET: &str = "unset";

/// How long the document may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// The job before the upload of the bytes.
pub(super) struct Waiting {
    request: Request,
    /// The pointer to the status.
    pointer: String,
    status: Option<String>,
}

/// The known values in the answer for a job.
fn known(document: &LearntDocument) -> [Known<'_>; 2] {
    [
        ("job_id", &document.job),
        ("document_id", &document.document),
    ]
    .map(|(key, value)| Known { key, value })
}

/// Looks at the job before the bytes are uploaded.
pub(super) async fn look(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<Waiting, LearnError> {
    let request = session.request(draft, Endpoint::Job, document.ids())?;
    let request = request.ok_or(LearnError::NoRoute("job"))?;
    let first = session.send("job", request.clone()).await?;
    let found = set_answer_fields("fields.job", &first.leaves, &known(document), draft);
    (session.show)(format!("  found {found}"));
    let pointer = draft.text("fields.job", "status").map(str::to_owned);
    let pointer = pointer.ok_or(LearnError::NoStatus)?;
    seen.extend(first.leaves);
    Ok(Waiting {
        status: status_at(&first.body, &pointer),
        pointer,
        request,
    })
}

/// Waits for the last status, and sets the words that were seen on the way.
pub(super) async fn process(
    session: &Session<'_>,
    document: &LearntDocument,
    waiting: Waiting,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<(), LearnError> {
    let (words, last) = follow(session, waiting).await?;
    set_statuses(&words, draft);
    if matches!(words.last(), Some(Some(word)) if is_failure(word)) {
        return Err(LearnError::Refused {
            step: "process the document",
            answer: last.summary,
            remedy: "look into the logs of the pipeline and its providers",
        });
    }
    // The finished job has fields that the waiting one had not.
    set_answer_fields("fields.job", &last.leaves, &known(document), draft);
    let shape = Value::Array(Vec::new());
    let source = "the shape is not compared";
    draft.set("shapes", "job", shape, Certainty::Seen, source);
    seen.extend(last.leaves);
    Ok(())
}

/// The status in an answer; nothing if it is null or missing.
fn status_at(body: &Json, pointer: &str) -> Option<String> {
    body.pointer(pointer)
        .and_then(Json::as_str)
        .map(str::to_owned)
}

/// Sets the words of the statuses. Those of a schema are kept if they contain all that were seen.
fn set_statuses(seen: &[Option<String>], draft: &mut Draft) {
    let words: Vec<_> = seen.iter().flatten().cloned().collect();
    let listed = draft
        .value("vocabulary", "statuses")
        .and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let listed: Vec<_> = listed.map(str::to_owned).collect();
    let mut all = if words.iter().all(|word| listed.contains(word)) {
        listed
    } else {
        words
    };
    if seen.first().is_some_and(Option::is_none) {
        draft.set(
            "vocabulary",
            "unset_status",
            true,
            Certainty::Seen,
            "the first status is null",
        );
        all.insert(0, UNSET.to_owned());
    }
    set_words(&all, Certainty::Guess, "the statuses, in this order", draft);
}

/// Waits for the last status. Returns every status on the way, and the last answer.
async fn follow(
    session: &Session<'_>,
    waiting: Waiting,
) -> Result<(Vec<Option<String>>, Answer), LearnError> {
    let words = Mutex::new(vec![waiting.status]);
    let poll = async || {
        let answer = session.send_quietly(waiting.request.clone()).await;
        let answer = answer.map_err(anyhow::Error::from)?;
        let word = status_at(&answer.body, &waiting.pointer);
        let is_final = word
            .as_deref()
            .is_some_and(|word| is_complete(word) || is_failure(word));
        if let Ok(mut words) = words.lock()
            && words.last() != Some(&word)
        {
            words.push(word);
        }
        Ok(if is_final {
            Poll::Ready(answer)
        } else {
            Poll::Pending(answer.summary)
        })
    };
    let outcome = eventually(session.http.recorder(), "the last status", PATIENCE, poll).await;
    let words = words.into_inner().unwrap_or_default();
    let path = words.iter().map(|word| word.as_deref().unwrap_or("null"));
    let path = path.collect::<Vec<_>>().join(" -> ");
    match outcome {
        Ok(answer) => {
            (session.show)(format!("  statuses {path}"));
            Ok((words, answer))
        }
        Err(_) => Err(LearnError::NotFinal(PATIENCE.as_secs(), path)),
    }
}
