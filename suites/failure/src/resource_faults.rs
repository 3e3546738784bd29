//! Resource faults: the database is locked, refuses or ends for a moment while documents flow, and nothing is lost.

use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::stack::Overrides;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour, ScriptGuard};
use futures::{join, try_join};

use crate::flowing::{self, Flowing, all_complete_once, expect_no_idle_transaction};
use cutover_suite_support::responses::{expect_error_body, wait_for_status};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_limited_database_loses_no_document, FAULTS)
            .requires([Http, Database, Storage, Standins, Processes])
            .calls([Endpoint::Job])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// How long a fault lasts: shorter than a lease.
const HELD: Duration = Duration::from_secs(1);

/// How late the providers of the documents in progress answer: in the middle of the fault.
const DELAY_MS: u64 = 400;

/// How long it may take until the API answers again after a fault: what it has locked may have to expire.
fn recovers_within(cx: &Context) -> Duration {
    let timing = &cx.contract().timing;
    timing.lease * 2 + timing.provider_timeout
}

/// A limit of the database that lasts a moment. `{role}` is the role of the services, and `{documents}` are the ids of
/// the documents.
pub(super) struct Fault {
    name: &'static str,
    /// What another session does in a transaction that stays open meanwhile.
    held: &'static str,
    /// The statements with which the fault begins.
    begin: &'static [&'static str],
    /// The statements in the middle of it.
    middle: &'static [&'static str],
    /// The statements with which it ends.
    end: &'static [&'static str],
    /// Whether nobody notices it.
    is_harmless: bool,
    /// Whether it is looked at afterwards that the worker counts as alive.
    shows_worker: bool,
}

impl Named for Fault {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Ends every session of the services.
const END_SESSIONS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'";

/// No fault.
const NONE: Fault = Fault {
    name: "",
    held: "",
    begin: &[],
    middle: &[],
    end: &[],
    is_harmless: false,
    shows_worker: false,
};

const FAULTS: &[Fault] = &[
    Fault {
        name: "rows_of_jobs_are_locked",
        held: "SELECT FROM {schema}.upload_jobs WHERE document_id IN ({documents}) FOR UPDATE",
        ..NONE
    },
    Fault {
        name: "rows_of_documents_are_locked",
        held: "SELECT FROM {schema}.documents WHERE document_id IN ({documents}) FOR UPDATE",
        ..NONE
    },
    Fault {
        name: "the_table_of_jobs_is_locked",
        held: "LOCK TABLE {schema}.upload_jobs IN ACCESS EXCLUSIVE MODE",
        ..NONE
    },
    Fault {
        name: "a_reader_stays_open",
        held: "SELECT count(*) FROM {schema}.documents d LEFT JOIN {schema}.upload_jobs j USING (document_id)
               LEFT JOIN {schema}.document_chunks c USING (document_id)",
        is_harmless: true,
        ..NONE
    },
    // For the services, this is a server without a free connection: the code of the refusal is the same.
    Fault {
        name: "no_connection_is_left",
        begin: &["ALTER ROLE {role} CONNECTION LIMIT 0", END_SESSIONS],
        end: &["ALTER ROLE {role} CONNECTION LIMIT -1"],
        ..NONE
    },
    Fault {
        name: "every_session_is_ended",
        begin: &[END_SESSIONS],
        ..NONE
    },
    // The lock keeps each write in its transaction until its session ends.
    Fault {
        name: "every_session_is_ended_in_its_transaction",
        held: "LOCK TABLE {schema}.upload_jobs IN SHARE ROW EXCLUSIVE MODE",
        middle: &[END_SESSIONS],
        ..NONE
    },
    // The lock keeps each write waiting for longer than its statement may take.
    Fault {
        name: "statements_time_out",
        held: "LOCK TABLE {schema}.upload_jobs IN EXCLUSIVE MODE",
        begin: &["ALTER ROLE {role} SET statement_timeout = '100ms'", END_SESSIONS],
        end: &["ALTER ROLE {role} RESET statement_timeout", END_SESSIONS],
        ..NONE
    },
    // As after a failover to a replica.
    Fault {
        name: "writes_are_refused",
        begin: &["ALTER ROLE {role} SET default_transaction_read_only = on", END_SESSIONS],
        end: &["ALTER ROLE {role} RESET default_transaction_read_only", END_SESSIONS],
        shows_worker: true,
        ..NONE
    },
];

impl Fault {
    fn what(&self) -> String {
        format!("while {}", self.name.replace('_', " "))
    }

    /// Runs statements as the owner of the database.
    async fn run(&self, cx: &Context, statements: &[&str]) -> CheckResult {
        let (database, role) = (cx.own_database()?, cx.processes()?.spec().app_role);
        for statement in statements {
            database.execute(&statement.replace("{role}", role)).await?;
        }
        Ok(())
    }

    /// Holds the fault for its time, while the services are asked. Afterwards the database is as before.
    async fn during<T>(
        &self,
        cx: &Context,
        documents: &Prepared,
        asking: impl Future<Output = T>,
    ) -> CheckResult<T> {
        let database = cx.own_database()?;
        let held = match self.held {
            "" => None,
            held => Some(
                database
                    .hold(&held.replace("{documents}", &documents.ids()))
                    .await?,
            ),
        };
        let begun = self.run(cx, self.begin).await;
        let release = async {
            let outcome = match begun {
                Ok(()) => self.last(cx).await,
                failed => failed,
            };
            if let Some(held) = held {
                held.end().await?;
            }
            self.run(cx, self.end).await?;
            outcome
        };
        let (answers, released) = join!(asking, release);
        released.map(|()| answers)
    }

    /// Lets the time of the fault pass. At its end, no request has left a transaction behind.
    async fn last(&self, cx: &Context) -> CheckResult {
        pass(cx, HELD / 2).await?;
        self.run(cx, self.middle).await?;
        pass(cx, HELD / 2).await?;
        expect_no_idle_transaction(cx).await
    }
}

/// Waits this long, because the fault lasts so long.
async fn pass(cx: &Context, time: Duration) -> CheckResult {
    let began = Instant::now();
    let passed = async || Ok((began.elapsed() >= time).then_some(()));
    cx.eventually("the fault has lasted", time * 2, passed)
        .await
}

/// The documents of a trial, each in another stage.
struct Prepared {
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
    async fn prepare(cx: &Context) -> CheckResult<Self> {
        let (waiting, done, failed) = try_join!(Flowing::registered(cx), complete(cx), failed(cx))?;
        let new = (cx.pipeline()?, cx.document().build());
        let script = cx.standins()?.script_parser(new.1.sha256(), refusing(503));
        let script = script.times(1).await?;
        // The API has a session for this before the fault.
        waiting.pipeline.jobs(&[]).await?.expect_status(200)?;
        let (submitted, embedding) = try_join!(
            Flowing::submitted(cx, DELAY_MS),
            Flowing::embedding(cx, DELAY_MS)
        )?;
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
    fn ids(&self) -> String {
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
    async fn ask(&self) -> Answers {
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
    let flowing = Flowing::registered(cx).await?;
    let sha256 = flowing.document.sha256();
    let script = cx.standins()?.script_parser(sha256, refusing(422)).await?;
    flowing.deliver().await?;
    flowing.pipeline.until_final(&flowing.accepted).await?;
    script.withdraw().await?;
    Ok(flowing)
}

/// The answers to requests in a fault.
struct Answers {
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
struct Changes {
    register: Option<Response>,
    delete: Option<Response>,
    retry: Option<Response>,
}

impl Answers {
    /// Each request got its answer, or a refusal that says that the service is the cause.
    fn judge(self, cx: &Context, fault: &Fault, documents: &Prepared) -> CheckResult<Changes> {
        let statuses = &cx.contract().statuses;
        let job = documents.embedding.accepted.job_id.to_string();
        let judge = |what, reply, is_right: &dyn Fn(&Response) -> bool| {
            judged(cx, fault, what, reply, is_right)
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
    fault: &Fault,
    what: &str,
    reply: CheckResult<Response>,
    is_right: &dyn Fn(&Response) -> bool,
) -> CheckResult<Option<Response>> {
    let reply = match reply {
        Err(Stop::Skip { .. }) => return Ok(None),
        reply => reply?,
    };
    if reply.status >= 500 && !fault.is_harmless {
        expect_error_body(&reply, cx.contract())?;
    } else {
        ensure!(
            is_right(&reply),
            "{}, {what} is answered with {}",
            fault.what(),
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
    async fn go_on(self, cx: &Context, first: Changes) -> CheckResult<Vec<Flowing>> {
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
        let new = self.new_one(cx, first.register).await?;
        self.script.withdraw().await?;
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
        Ok(Some(Flowing {
            document: document.clone(),
            pipeline: pipeline.through_outages(),
            accepted,
            script: None,
        }))
    }
}

/// While the database is limited, each request gets its answer or a 5xx; afterwards every document completes once.
async fn a_limited_database_loses_no_document(cx: &Context, case: &Fault) -> CheckResult {
    let documents = Prepared::prepare(cx).await?;
    let answers = case.during(cx, &documents, documents.ask()).await?;
    let first = answers.judge(cx, case, &documents)?;
    let documents = documents.go_on(cx, first).await?;
    all_complete_once(cx, &documents).await?;
    if case.is_harmless {
        // The other documents have failed once on purpose.
        for document in documents.iter().take(3) {
            document.completes_undisturbed(cx).await?;
        }
    }
    if case.shows_worker {
        expect_live_worker(cx).await?;
    }
    expect_no_idle_transaction(cx).await
}

/// A worker whose heartbeats were refused for a while sends them again: an API that expects them often is ready.
async fn expect_live_worker(cx: &Context) -> CheckResult {
    let limit = cx.contract().timing.lease * 3 / 4;
    let limit = limit.as_millis().to_string();
    let overrides = Overrides::from([("QUEUE_AGE_LIMIT_MS".to_owned(), Some(limit))]);
    let api = cx.processes()?.start_extra_api(&overrides).await?;
    let pipeline = cx.pipeline()?.anonymous().at(api.url());
    let ready = async || pipeline.ready().await;
    let what = "after refused writes, the worker counts as alive";
    let seen = wait_for_status(cx, what, recovers_within(cx), 200, ready).await;
    api.end().await?;
    seen.map(drop)
}
