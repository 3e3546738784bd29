//! The documents and requests of a trial in which the database is limited: what is asked meanwhile, and what goes on later.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour, ScriptGuard};
use futures::{join, try_join};

use crate::flowing::Flowing;
use cutover_suite_support::responses::expect_error_body;

/// How late the providers of the documents in progress answer: in the fault, however long it took to begin it.
const DELAY_MS: u64 = 650;

/// How long it may take until the API answers again after a fault: what it has locked may have to expire.
pub(crate) fn recovers_within(cx: &Context) -> Duration {
    let timing = &cx.contract().timing;
    timing.lease * 2 + timing.provider_timeout
}

/// When a request is sent, and whether it may be answered with a 5xx then.
pub(crate) struct Moment {
    pub(crate) what: String,
    pub(crate) may_fail: bool,
}

/// The documents of a trial, each in another stage.
pub(crate) struct Prepared {
    /// It waits for its bytes, which arrive in the fault.
    waiting: Flowing,
    submitted: Flowing,
    embedding: Flowing,
    /// It is deleted in the fault.
    done: Flowing,
    /// It has failed, and is tried again in the fault.
    failed: Flowing,
    /// It is registered in the fault, and needs a second attempt.
    new: (Pipeline, Document),
    script: ScriptGuard,
}

/// A parser that answers with this status.
fn refusing(status: u16) -> ParserBehaviour {
    ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status,
            marker: String::new(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    }
}

impl Prepared {
    pub(crate) async fn prepare(cx: &Context) -> CheckResult<Self> {
        let (waiting, done, failed) = try_join!(Flowing::registered(cx), complete(cx), failed(cx))?;
        let new = (cx.pipeline()?, cx.document().build());
        let script = cx.standins()?.script_parser(new.1.sha256(), refusing(503));
        let script = script.times(1).await?;
        // The API has a session for this before the fault.
        waiting.pipeline.jobs(&[]).await?.expect_status(200)?;
        let embedding = Flowing::embedding(cx, DELAY_MS).await?;
        let submitted = Flowing::submitted(cx, DELAY_MS).await?;
        Ok(Self {
            waiting,
            submitted,
            embedding,
            done,
            failed,
            new,
            script,
        })
    }

    /// The ids of all documents, for a list in SQL.
    pub(crate) fn ids(&self) -> String {
        let each = [
            &self.waiting,
            &self.submitted,
            &self.embedding,
            &self.done,
            &self.failed,
        ];
        each.map(|flowing| format!("'{}'", flowing.accepted.document_id))
            .join(", ")
    }

    /// Sends one request of every kind.
    pub(crate) async fn ask(&self) -> Answers {
        let (registrar, new) = &self.new;
        let reader = &self.embedding.pipeline;
        let accepted = &self.embedding.accepted;
        let (register, job, jobs, document, search, delete, retry, delivered) = join!(
            registrar.register(new.upload()),
            reader.job(accepted.job_id),
            reader.jobs(&[]),
            reader.document(accepted.document_id),
            reader.search("policy premium", 3),
            self.done.pipeline.delete(self.done.accepted.document_id),
            self.failed.pipeline.retry(self.failed.accepted.job_id),
            self.waiting.deliver(),
        );
        Answers {
            register,
            job,
            jobs,
            document,
            search,
            delete,
            retry,
            delivered,
        }
    }
}

async fn complete(cx: &Context) -> CheckResult<Flowing> {
    let flowing = Flowing::uploaded(cx).await?;
    flowing.pipeline.until_complete(&flowing.accepted).await?;
    Ok(flowing)
}

/// A document that the parser has refused for good.
async fn failed(cx: &Context) -> CheckResult<Flowing> {
    let mut flowing = Flowing::registered(cx).await?;
    let sha256 = flowing.document.sha256();
    let script = cx.standins()?.script_parser(sha256, refusing(422)).await?;
    flowing.deliver().await?;
    flowing.pipeline.until_final(&flowing.accepted).await?;
    script.withdraw().await?;
    let events = cx.database()?.events_of(flowing.accepted.job_id).await?;
    let ends = events.iter().filter(|event| event.kind == "finalized");
    flowing.finalized = ends.count();
    Ok(flowing)
}

/// The answers to requests in a fault.
pub(crate) struct Answers {
    register: CheckResult<Response>,
    job: CheckResult<Response>,
    jobs: CheckResult<Response>,
    document: CheckResult<Response>,
    search: CheckResult<Response>,
    delete: CheckResult<Response>,
    retry: CheckResult<Response>,
    delivered: CheckResult,
}

/// The first answers to the requests that change something.
pub(crate) struct Changes {
    register: Option<Response>,
    delete: Option<Response>,
    retry: Option<Response>,
}

impl Answers {
    /// Each request got its answer, or a refusal that says that the service is the cause.
    pub(crate) fn judge(
        self,
        cx: &Context,
        moment: &Moment,
        documents: &Prepared,
    ) -> CheckResult<Changes> {
        let statuses = &cx.contract().statuses;
        let job = documents.embedding.accepted.job_id.to_string();
        let judge = |what, reply, is_right: &dyn Fn(&Response) -> bool| {
            judged(cx, moment, what, reply, is_right)
        };
        let is_found = |reply: &Response| reply.status == 200 && reply.text().contains(&job);
        judge("a job is read", self.job, &is_found)?;
        judge("jobs are listed", self.jobs, &is_found)?;
        judge("a document is read", self.document, &|it| it.status == 200)?;
        judge("a search", self.search, &|it| {
            statuses.searched.include(it.status)
        })?;
        let delete = judge("a deletion", self.delete, &Response::is_success)?;
        let retry = judge("a retry", self.retry, &|it| {
            statuses.retried.include(it.status)
        })?;
        let register = judge("a registration", self.register, &|it| {
            statuses.accepted.include(it.status)
        })?;
        self.delivered?;
        Ok(Changes {
            register,
            delete,
            retry,
        })
    }
}

/// The answer, unless the target does not have the route; it is right, or a 5xx where the fault may be noticed.
fn judged(
    cx: &Context,
    moment: &Moment,
    what: &str,
    reply: CheckResult<Response>,
    is_right: &dyn Fn(&Response) -> bool,
) -> CheckResult<Option<Response>> {
    let reply = match reply {
        Err(Stop::Skip { .. }) => return Ok(None),
        reply => reply?,
    };
    if reply.status >= 500 && moment.may_fail {
        expect_error_body(&reply, cx.contract())?;
    } else {
        ensure!(
            is_right(&reply),
            "{}, {what} is answered with {}",
            moment.what,
            reply.summary()
        );
    }
    Ok(Some(reply))
}

/// Repeats a request until its answer is no 5xx.
async fn answered(
    cx: &Context,
    what: &str,
    mut ask: impl AsyncFnMut() -> CheckResult<Response>,
) -> CheckResult<Response> {
    let what = format!("after the fault, {what} is answered");
    cx.eventually(&what, recovers_within(cx), async || {
        let reply = ask().await?;
        Ok(if reply.status >= 500 {
            Poll::Pending(reply.summary())
        } else {
            Poll::Ready(reply)
        })
    })
    .await
}

impl Prepared {
    /// Repeats what was refused; returns the documents that must complete.
    pub(crate) async fn go_on(self, cx: &Context, first: Changes) -> CheckResult<Vec<Flowing>> {
        let (reader, accepted) = (&self.embedding.pipeline, &self.embedding.accepted);
        let jobs = answered(cx, "a list of jobs", async || reader.jobs(&[]).await).await?;
        jobs.expect_status(200)?;
        let id = accepted.document_id;
        let shown = answered(cx, "a document", async || reader.document(id).await).await?;
        shown.expect_status(200)?;
        if first.delete.is_some() {
            self.is_deleted(cx).await?;
        }
        if let Some(reply) = first.retry {
            self.is_retried(cx, reply).await?;
        }
        let mut new = self.new_one(cx, first.register).await?;
        if let Some(new) = &mut new {
            new.script = Some(self.script);
        }
        let documents = [self.waiting, self.submitted, self.embedding, self.failed];
        Ok(documents.into_iter().chain(new).collect())
    }

    /// The deletion succeeds when it is repeated, and the document is gone.
    async fn is_deleted(&self, cx: &Context) -> CheckResult {
        let (pipeline, id) = (&self.done.pipeline, self.done.accepted.document_id);
        let deleted = answered(cx, "a deletion", async || pipeline.delete(id).await).await?;
        deleted.expect_status(&cx.contract().statuses.deleted_again)?;
        let chunks = cx.database()?.chunks_of(id).await?;
        ensure!(chunks.is_empty(), "a deleted document has chunks");
        Ok(())
    }

    /// The retry is accepted when it is repeated. If only its answer was lost, the job is not failed any more.
    async fn is_retried(&self, cx: &Context, first: Response) -> CheckResult {
        if first.status < 500 {
            return Ok(());
        }
        let (pipeline, id) = (&self.failed.pipeline, self.failed.accepted.job_id);
        let again = answered(cx, "a retry", async || pipeline.retry(id).await).await?;
        let statuses = &cx.contract().statuses;
        ensure!(
            statuses.retried.include(again.status) || statuses.not_retryable.include(again.status),
            "after the fault, a retry is answered with {}",
            again.summary()
        );
        Ok(())
    }

    /// The document of the registration, uploaded. Nothing if only the answer to its registration was lost.
    async fn new_one(&self, cx: &Context, first: Option<Response>) -> CheckResult<Option<Flowing>> {
        let (pipeline, document) = &self.new;
        let statuses = &cx.contract().statuses;
        let reply = match first {
            Some(reply) if reply.status < 500 => reply,
            _ => {
                let again = async || pipeline.register(document.upload()).await;
                let again = answered(cx, "a registration", again).await?;
                if statuses.duplicate.include(again.status) {
                    return Ok(None);
                }
                again
            }
        };
        let accepted = Accepted::read(&reply.expect_status(&statuses.accepted)?, cx.contract())?;
        pipeline.deliver(&accepted, document.upload()).await?;
        Ok(Some(Flowing::accepted(
            pipeline,
            document.clone(),
            accepted,
        )))
    }
}
