//! Simultaneous requests: two requests about one document at one moment have the effect of one after the other.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::standin::{Callback, CallbackStatus, ParserBehaviour};
use futures::future::{join, try_join_all};
use serde_json::json;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::{give_up_within, objects_left, parsed_text};
use cutover_suite_support::texts::expect_whole_text;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(two_requests_at_once_act_one_after_the_other, PAIRS)
            .requires([Http, Database, Storage, Standins])
            .reads([
                read::document::PROCESSING_STATUS,
                read::JOBS,
                read::job::STATE.if_given(),
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// Two requests, and the state of the document before them.
pub(super) struct RequestPair {
    name: &'static str,
    before: Before,
    requests: [Ask; 2],
}

/// The state of a document before the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Failed,
    Complete,
    AwaitingCallback,
}

/// A request about the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Retry,
    Delete,
    Upload,
    Search,
    Show,
    Callback,
    OtherCallback,
    FailedCallback,
}

impl Named for RequestPair {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        let of_request = |ask: &Ask| match ask {
            Ask::Retry => Some(Endpoint::Retry),
            Ask::Delete => Some(Endpoint::DeleteDocument),
            Ask::Search => Some(Endpoint::Search),
            Ask::Show => Some(Endpoint::Document),
            Ask::Upload | Ask::Callback | Ask::OtherCallback | Ask::FailedCallback => None,
        };
        self.requests.iter().filter_map(of_request).collect()
    }
}

const fn pair(name: &'static str, before: Before, requests: [Ask; 2]) -> RequestPair {
    RequestPair {
        name,
        before,
        requests,
    }
}

const PAIRS: &[RequestPair] = &[
    pair("retry_and_retry", Before::Failed, [Ask::Retry, Ask::Retry]),
    pair(
        "retry_and_delete",
        Before::Failed,
        [Ask::Retry, Ask::Delete],
    ),
    pair(
        "retry_and_upload",
        Before::Failed,
        [Ask::Retry, Ask::Upload],
    ),
    pair(
        "upload_and_upload",
        Before::Failed,
        [Ask::Upload, Ask::Upload],
    ),
    pair(
        "upload_and_delete_after_failure",
        Before::Failed,
        [Ask::Upload, Ask::Delete],
    ),
    pair(
        "upload_and_delete",
        Before::Complete,
        [Ask::Upload, Ask::Delete],
    ),
    pair(
        "delete_and_delete",
        Before::Complete,
        [Ask::Delete, Ask::Delete],
    ),
    pair(
        "delete_and_search",
        Before::Complete,
        [Ask::Delete, Ask::Search],
    ),
    pair(
        "delete_and_show",
        Before::Complete,
        [Ask::Delete, Ask::Show],
    ),
    pair(
        "callback_and_callback",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::OtherCallback],
    ),
    pair(
        "callback_twice",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::Callback],
    ),
    pair(
        "callback_and_failure",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::FailedCallback],
    ),
    pair(
        "callback_and_delete",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::Delete],
    ),
    pair(
        "failure_and_delete",
        Before::AwaitingCallback,
        [Ask::FailedCallback, Ask::Delete],
    ),
    pair(
        "callback_and_upload",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::Upload],
    ),
    pair(
        "callback_and_retry",
        Before::AwaitingCallback,
        [Ask::Callback, Ask::Retry],
    ),
    pair(
        "failure_and_retry",
        Before::AwaitingCallback,
        [Ask::FailedCallback, Ask::Retry],
    ),
];

/// How the two requests of a pair overlap.
#[derive(Clone, Copy)]
struct Overlap {
    is_swapped: bool,
    /// The number of status requests between them, each sent after the answer to the one before. On a busy machine
    /// they take longer, and so does the first request.
    reads_between: usize,
}

/// The overlaps of a pair, each tried with another document of another user. A request decides at some moment
/// that is not known, so the second one arrives earlier and later.
const OVERLAPS: [Overlap; 5] = [
    overlap(false, 0),
    overlap(true, 0),
    overlap(false, 3),
    overlap(true, 3),
    overlap(true, 8),
];

const fn overlap(is_swapped: bool, reads_between: usize) -> Overlap {
    Overlap {
        is_swapped,
        reads_between,
    }
}

/// A document, and what its requests need.
struct Subject {
    awaiting: Option<AwaitingCallback>,
    pipeline: Pipeline,
    document: Document,
    accepted: Accepted,
}

/// Neither request is answered with a server error, and what remains is a state that one request after the other
/// leads to: at most one active job, one whole text, or nothing.
async fn two_requests_at_once_act_one_after_the_other(
    cx: &Context,
    case: &RequestPair,
) -> CheckResult {
    try_join_all(OVERLAPS.map(|overlap| one_round(cx, case, overlap))).await?;
    Ok(())
}

async fn one_round(cx: &Context, case: &RequestPair, overlap: Overlap) -> CheckResult {
    let subject = Subject::prepare(cx, case.before).await?;
    let [mut first, mut second] = case.requests;
    if overlap.is_swapped {
        (first, second) = (second, first);
    }
    let later = async {
        for _ in 0..overlap.reads_between {
            // The answer does not matter; after a deletion there is none.
            drop(subject.pipeline.show(&subject.accepted).await);
        }
        subject.ask(second).await
    };
    let (one, other) = join(subject.ask(first), later).await;
    let replies = [(first, one?), (second, other?)];
    for (ask, reply) in &replies {
        ensure!(
            reply.status < 500,
            "{ask:?} is answered with {}",
            reply.summary()
        );
    }
    expect_one_start(&replies)?;
    subject.deliver_accepted(cx, &replies).await?;
    subject.expect_settled(cx, &replies).await
}

/// Of two requests that start an attempt, only one succeeds.
fn expect_one_start(replies: &[(Ask, Response); 2]) -> CheckResult {
    let starts = |ask: Ask| matches!(ask, Ask::Retry | Ask::Upload);
    let started = replies
        .iter()
        .filter(|(ask, reply)| starts(*ask) && reply.is_success());
    ensure!(
        started.count() < 2,
        "two requests at once start two attempts at one document"
    );
    Ok(())
}

impl Subject {
    async fn prepare(cx: &Context, before: Before) -> CheckResult<Self> {
        let document = cx.document().build();
        if before == Before::AwaitingCallback {
            let awaiting = AwaitingCallback::with(cx, document.clone()).await?;
            return Ok(Self {
                pipeline: awaiting.pipeline.clone(),
                accepted: awaiting.accepted.clone(),
                awaiting: Some(awaiting),
                document,
            });
        }
        let pipeline = cx.pipeline()?;
        let accepted = if before == Before::Complete {
            pipeline.complete(&document).await?.accepted
        } else {
            let error = "rejected by the check".to_owned();
            let callback = Callback {
                status: CallbackStatus::Failed { error },
                ..Callback::default()
            };
            let behaviour = ParserBehaviour::calling_back(callback);
            let standins = cx.standins()?;
            let script = standins.script_parser(document.sha256(), behaviour).await?;
            let accepted = pipeline.upload(&document).await?;
            pipeline.until_final(&accepted).await?;
            script.withdraw().await?;
            accepted
        };
        Ok(Self {
            awaiting: None,
            pipeline,
            document,
            accepted,
        })
    }

    /// The text of the other callback.
    fn other_text(&self) -> String {
        format!(
            "# Another text\n\nof {}\n\n# End\n\nof it\n",
            self.document.nonce()
        )
    }

    async fn ask(&self, ask: Ask) -> CheckResult<Response> {
        let (pipeline, accepted) = (&self.pipeline, &self.accepted);
        let completed = |text: String| json!({ "status": "completed", "md": text });
        match ask {
            Ask::Retry => pipeline.retry(accepted.job_id).await,
            Ask::Delete => pipeline.delete(accepted.document_id).await,
            Ask::Upload => pipeline.register(self.document.upload()).await,
            Ask::Search => pipeline.search(self.document.nonce(), 3).await,
            Ask::Show => pipeline.document(accepted.document_id).await,
            Ask::Callback => self.send(&completed(self.document.expected_text())).await,
            Ask::OtherCallback => self.send(&completed(self.other_text())).await,
            Ask::FailedCallback => {
                self.send(&json!({ "status": "failed", "error": "rejected by the check" }))
                    .await
            }
        }
    }

    async fn send(&self, body: &serde_json::Value) -> CheckResult<Response> {
        let Some(awaiting) = &self.awaiting else {
            return Err(anyhow::anyhow!("this document awaits no callback").into());
        };
        let body = body.to_string();
        awaiting.send(&body, &awaiting.proof(&body)).await
    }

    /// Uploads the bytes of an accepted registration, unless a deletion came second.
    async fn deliver_accepted(&self, cx: &Context, replies: &[(Ask, Response); 2]) -> CheckResult {
        let is_stored = cx
            .database()?
            .document(self.accepted.document_id)
            .await?
            .is_some();
        if !is_stored {
            return Ok(());
        }
        for (ask, reply) in replies {
            if *ask == Ask::Upload && reply.is_success() {
                let again = Accepted::read(reply, cx.contract())?;
                self.pipeline
                    .put(&again.signed_url, self.document.bytes())
                    .await?;
            }
        }
        Ok(())
    }

    /// Waits until no job is active, and expects one of the possible ends.
    async fn expect_settled(&self, cx: &Context, replies: &[(Ask, Response); 2]) -> CheckResult {
        let (database, vocabulary) = (cx.database()?, &cx.contract().vocabulary);
        let id = self.accepted.document_id;
        let within = give_up_within(cx.contract()) + cx.contract().limits.url_ttl;
        cx.eventually("no job of the document is active", within, async || {
            let jobs = database.jobs_of(id).await?;
            let active = jobs
                .iter()
                .filter(|job| vocabulary.is_active(&job.status, job.state.as_deref()))
                .count();
            ensure!(
                active < 2,
                "a document has {active} active jobs after two requests at once"
            );
            Ok((active == 0).then_some(()))
        })
        .await?;
        let asked = |wanted: Ask| {
            replies
                .iter()
                .any(|(ask, reply)| *ask == wanted && reply.is_success())
        };
        let is_stored = database.document(id).await?.is_some();
        if !is_stored {
            ensure!(
                asked(Ask::Delete),
                "a document is gone although it was not deleted"
            );
            return self.expect_gone(cx).await;
        }
        ensure!(
            !asked(Ask::Delete) || asked(Ask::Upload),
            "a deleted document is still there after two requests at once"
        );
        self.expect_one_text(cx).await
    }

    async fn expect_gone(&self, cx: &Context) -> CheckResult {
        let id = self.accepted.document_id;
        let jobs = cx.database()?.jobs_of(id).await?.len();
        let chunks = cx.database()?.chunks_of(id).await?.len();
        ensure!(
            jobs + chunks == 0,
            "a deleted document leaves {jobs} jobs and {chunks} chunks"
        );
        let Some(tenant) = self.pipeline.tenant() else {
            return Ok(());
        };
        let left = objects_left(cx, tenant.user_id, id).await?;
        ensure!(
            left.is_empty(),
            "a deleted document leaves {} after two requests at once",
            left.join(", ")
        );
        Ok(())
    }

    /// The document is complete with one whole text, or failed without chunks.
    async fn expect_one_text(&self, cx: &Context) -> CheckResult {
        let id = self.accepted.document_id;
        let row = cx.database()?.document(id).await?;
        let status = row
            .and_then(|row| row.processing_status)
            .unwrap_or_default();
        if status != cx.contract().vocabulary.complete_document() {
            let chunks = cx.database()?.chunks_of(id).await?.len();
            ensure_eq!(chunks, 0, "a document with status {status} has chunks");
            return Ok(());
        }
        let stored = parsed_text(cx, &self.pipeline, &self.accepted).await?;
        let texts = [self.document.expected_text(), self.other_text()];
        let Some(stored) = stored else {
            let [one, other] = texts.each_ref();
            let whole = expect_whole_text(cx, &self.pipeline, &self.accepted, one).await;
            if whole.is_err() {
                expect_whole_text(cx, &self.pipeline, &self.accepted, other).await?;
            }
            return Ok(());
        };
        ensure!(
            texts.contains(&stored),
            "the text of a document is none of those that were sent at once: {stored:?}"
        );
        expect_whole_text(cx, &self.pipeline, &self.accepted, &stored).await?;
        Ok(())
    }
}
