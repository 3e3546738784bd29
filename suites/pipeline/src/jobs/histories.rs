//! Histories: whatever happened to a document, each request about it has the effect that its present state allows.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, CallbackKeys};
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, CallbackStatus, ParserBehaviour};
use serde_json::json;

use cutover_suite_support::awaiting_callback::callback_keys;
use cutover_suite_support::findings::about;
use cutover_suite_support::json::{list_at, value_at};
use cutover_suite_support::outcomes::{
    expect_complete, expect_not_indexed, hits_if_searchable, objects_left,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_request_respects_the_history_of_a_document, HISTORIES)
            .requires([Http, Database, Storage, Standins])
            .reads([
                read::DOCUMENTS,
                read::JOBS,
                read::CHUNKS,
                read::chunk::EMBEDDING.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(Critical),
    ]
}

/// What happened to a document.
pub(super) struct History {
    name: &'static str,
    steps: &'static [Step],
    /// The end of the newest job.
    end: End,
}

/// A step of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is registered, and its bytes are not uploaded.
    Register,
    /// It is uploaded and fails.
    Fail,
    /// It is uploaded and completes.
    Complete,
    /// Its failed job is retried and completes.
    Retry,
    /// Its failed job is retried and fails again.
    RetryInVain,
    /// It is deleted.
    Delete,
}

/// The present state of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Registered,
    Failed,
    Complete,
    Gone,
}

impl Named for History {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        let of_step = |step: &Step| match step {
            Step::Register | Step::Fail | Step::Complete => None,
            Step::Retry | Step::RetryInVain => Some(Endpoint::Retry),
            Step::Delete => Some(Endpoint::DeleteDocument),
        };
        self.steps.iter().filter_map(of_step).collect()
    }
}

const fn history(name: &'static str, steps: &'static [Step], end: End) -> History {
    History { name, steps, end }
}

const HISTORIES: &[History] = &[
    history("registered", &[Step::Register], End::Registered),
    history("complete", &[Step::Complete], End::Complete),
    history("failed", &[Step::Fail], End::Failed),
    history(
        "failed_twice",
        &[Step::Fail, Step::RetryInVain],
        End::Failed,
    ),
    history("retried", &[Step::Fail, Step::Retry], End::Complete),
    history(
        "retried_twice",
        &[Step::Fail, Step::RetryInVain, Step::Retry],
        End::Complete,
    ),
    history(
        "superseded_by_a_complete_job",
        &[Step::Fail, Step::Complete],
        End::Complete,
    ),
    history(
        "superseded_by_a_failed_job",
        &[Step::Fail, Step::Fail],
        End::Failed,
    ),
    history(
        "superseded_by_a_registered_job",
        &[Step::Fail, Step::Register],
        End::Registered,
    ),
    history(
        "superseded_twice",
        &[Step::Fail, Step::Fail, Step::Complete],
        End::Complete,
    ),
    history(
        "retried_and_superseded",
        &[Step::Fail, Step::RetryInVain, Step::Complete],
        End::Complete,
    ),
    history("deleted", &[Step::Complete, Step::Delete], End::Gone),
    history(
        "deleted_after_failure",
        &[Step::Fail, Step::Delete],
        End::Gone,
    ),
    history(
        "uploaded_after_deletion",
        &[Step::Complete, Step::Delete, Step::Complete],
        End::Complete,
    ),
];

/// A document with its jobs, oldest first.
struct Subject {
    pipeline: Pipeline,
    document: Document,
    jobs: Vec<Accepted>,
    end: End,
}

/// Old jobs cannot be retried, old callbacks have no effect, lists and searches show the present, and a deletion
/// removes everything.
async fn every_request_respects_the_history_of_a_document(
    cx: &Context,
    case: &History,
) -> CheckResult {
    let mut subject = Subject {
        pipeline: cx.pipeline()?,
        document: cx.document().paragraphs(5).build(),
        jobs: Vec::new(),
        end: case.end,
    };
    for step in case.steps {
        subject.take(cx, *step).await?;
    }
    subject
        .expect_state(cx, "at the end of its history")
        .await?;
    subject.expect_jobs_listed(cx).await?;
    subject.retry_old_jobs(cx).await?;
    subject
        .expect_state(cx, "after retries of its old jobs")
        .await?;
    subject.send_late_callbacks(cx).await?;
    subject.expect_state(cx, "after late callbacks").await?;
    subject.upload_duplicate(cx).await?;
    subject
        .expect_state(cx, "after its duplicate was refused")
        .await?;
    subject.delete(cx).await
}

impl Subject {
    async fn take(&mut self, cx: &Context, step: Step) -> CheckResult {
        match step {
            Step::Register => self
                .jobs
                .push(self.pipeline.accept(self.document.upload()).await?),
            Step::Complete => {
                let done = self.pipeline.complete(&self.document).await?;
                self.jobs.push(done.accepted);
            }
            Step::Fail => {
                let script = self.failing(cx).await?;
                let accepted = self.pipeline.upload(&self.document).await?;
                self.expect_failed(cx, &accepted).await?;
                script.withdraw().await?;
                self.jobs.push(accepted);
            }
            Step::Retry | Step::RetryInVain => {
                let in_vain = step == Step::RetryInVain;
                let script = if in_vain {
                    Some(self.failing(cx).await?)
                } else {
                    None
                };
                let newest = self.newest()?.clone();
                self.pipeline
                    .retry(newest.job_id)
                    .await?
                    .expect_status(&cx.contract().statuses.retried)?;
                if let Some(script) = script {
                    self.expect_failed(cx, &newest).await?;
                    script.withdraw().await?;
                } else {
                    self.pipeline.until_complete(&newest).await?;
                }
            }
            Step::Delete => {
                let reply = self.pipeline.delete(self.newest()?.document_id).await?;
                ensure!(
                    reply.is_success(),
                    "a deletion is answered with {}",
                    reply.summary()
                );
                self.jobs.clear();
            }
        }
        Ok(())
    }

    /// The parser reports a failure in its callbacks, so that failed jobs have a callback secret.
    async fn failing(&self, cx: &Context) -> CheckResult<cutover_harness::standin::ScriptGuard> {
        let error = "rejected by the check".to_owned();
        let callback = Callback {
            status: CallbackStatus::Failed { error },
            ..Callback::default()
        };
        let behaviour = ParserBehaviour::calling_back(callback);
        Ok(cx
            .standins()?
            .script_parser(self.document.sha256(), behaviour)
            .await?)
    }

    async fn expect_failed(&self, cx: &Context, accepted: &Accepted) -> CheckResult {
        let job = self.pipeline.until_final(accepted).await?;
        ensure!(
            cx.contract().vocabulary.is_failure(&job.status),
            "a document that the parser rejects does not fail: {}",
            job.summary()
        );
        Ok(())
    }

    fn newest(&self) -> CheckResult<&Accepted> {
        let newest = self.jobs.last();
        newest.ok_or_else(|| anyhow::anyhow!("the history has no job at this step").into())
    }

    /// The newest job and the document are in the state of the history's end.
    async fn expect_state(&self, cx: &Context, when: &str) -> CheckResult {
        let outcome = self.state(cx).await;
        outcome.map_err(|stop| about(when, stop))
    }

    async fn state(&self, cx: &Context) -> CheckResult {
        let vocabulary = &cx.contract().vocabulary;
        if self.end == End::Gone {
            let hits = hits_if_searchable(cx, &self.pipeline, self.document.nonce(), 5).await?;
            ensure!(hits.is_empty(), "a deleted document is found");
            return Ok(());
        }
        let newest = self.newest()?;
        if self.end == End::Complete {
            expect_complete(cx, &self.pipeline, newest, &self.document).await?;
            let hits = hits_if_searchable(cx, &self.pipeline, self.document.nonce(), 5).await?;
            ensure!(
                !hits.is_empty() || !cx.contract().has(Endpoint::Search),
                "a complete document is not found"
            );
        } else {
            let job = self.pipeline.view(newest).await?;
            // On a slow machine the URL of a registered document may expire, and its job fails.
            let expected = vocabulary.is_failure(&job.status)
                || (self.end == End::Registered && job.status == vocabulary.registered);
            ensure!(
                expected,
                "the newest job is not {:?}: {}",
                self.end,
                job.summary()
            );
            expect_not_indexed(cx, &self.pipeline, newest, &self.document).await?;
        }
        self.expect_document_status(cx).await
    }

    /// The document shows the status of its newest job.
    async fn expect_document_status(&self, cx: &Context) -> CheckResult {
        let field = &cx.contract().fields.document.status;
        let newest = self.newest()?;
        let shown = match self.pipeline.document(newest.document_id).await {
            Err(Stop::Skip { .. }) => return Ok(()),
            shown => shown?.expect_status(200)?.json()?,
        };
        if !field.is_given() {
            return Ok(());
        }
        let job = self.pipeline.view(newest).await?;
        let status = value_at(field, &shown, "a document")?;
        let vocabulary = &cx.contract().vocabulary;
        if vocabulary.documents.is_some() {
            // The words of documents are fewer than those of jobs.
            ensure_eq!(
                *status == vocabulary.complete_document(),
                job.status == vocabulary.complete,
                "the document is {status} and its newest job is {}",
                job.status
            );
            return Ok(());
        }
        ensure_eq!(
            *status,
            job.status,
            "the document has another status than its newest job"
        );
        Ok(())
    }

    /// The list has every job of the document once, newest first.
    async fn expect_jobs_listed(&self, cx: &Context) -> CheckResult {
        let fields = &cx.contract().fields;
        if self.end == End::Gone || !fields.job.job_id.is_given() {
            return Ok(());
        }
        let listed = match self.pipeline.jobs(&[]).await {
            Err(Stop::Skip { .. }) => return Ok(()),
            listed => listed?.expect_status(200)?.json()?,
        };
        let mut ids = Vec::new();
        for job in list_at(&fields.jobs.jobs, &listed, "a list of jobs")? {
            let id = value_at(&fields.job.job_id, job, "a job of the list")?;
            ids.push(id.as_str().unwrap_or_default().to_owned());
        }
        let expected: Vec<_> = self
            .jobs
            .iter()
            .rev()
            .map(|job| job.job_id.to_string())
            .collect();
        ensure_eq!(
            ids,
            expected,
            "the list does not have every job of the document, newest first"
        );
        Ok(())
    }

    /// A job cannot be retried while a later one of its document is active or complete, or if it is complete itself.
    async fn retry_old_jobs(&self, cx: &Context) -> CheckResult {
        if !cx.contract().has(Endpoint::Retry) {
            return Ok(());
        }
        let refused = match self.end {
            End::Complete => self.jobs.as_slice(),
            End::Registered => self.jobs.split_last().map_or(&[][..], |(_, old)| old),
            End::Failed | End::Gone => &[],
        };
        for job in refused {
            let reply = self.pipeline.retry(job.job_id).await?;
            ensure!(
                cx.contract().statuses.not_retryable.include(reply.status),
                "a retry of an old or complete job is answered with {}",
                reply.summary()
            );
        }
        Ok(())
    }

    /// Valid callbacks about submissions that are over change nothing: another text, and a failure.
    async fn send_late_callbacks(&self, cx: &Context) -> CheckResult {
        let calls = cx.standins()?.parser_calls(self.document.sha256()).await?;
        for call in calls {
            let keys: CallbackKeys = callback_keys(cx, &call)?;
            let job = call.job.clone().unwrap_or_default();
            for body in [
                json!({ "status": "completed", "md": "# A late text\n\nof an old submission" }),
                json!({ "status": "failed", "error": "a late failure" }),
            ] {
                let body = body.to_string();
                let proof = keys.proof(body.as_bytes());
                let reply = self.pipeline.callback(&job, body.as_str(), &proof).await?;
                ensure!(
                    reply.status < 500,
                    "a late callback is answered with {}",
                    reply.summary()
                );
            }
        }
        Ok(())
    }

    /// A document that is complete cannot be registered again.
    async fn upload_duplicate(&self, cx: &Context) -> CheckResult {
        let applies = cx.contract().requests.upload.sha256.is_given();
        if applies && self.end == End::Complete {
            let reply = self.pipeline.register(self.document.upload()).await?;
            reply.expect_status(&cx.contract().statuses.duplicate)?;
        }
        Ok(())
    }

    /// A deletion removes the document with all its jobs.
    async fn delete(&self, cx: &Context) -> CheckResult {
        let (Some(newest), true) = (
            self.jobs.last(),
            cx.contract().has(Endpoint::DeleteDocument),
        ) else {
            return Ok(());
        };
        let id = newest.document_id;
        let reply = self.pipeline.delete(id).await?;
        ensure!(
            reply.is_success(),
            "a deletion is answered with {}",
            reply.summary()
        );
        let database = cx.database()?;
        let jobs = database.jobs_of(id).await?.len();
        let chunks = database.chunks_of(id).await?.len();
        ensure!(
            database.document(id).await?.is_none() && jobs == 0 && chunks == 0,
            "a deleted document leaves {jobs} jobs and {chunks} chunks"
        );
        if let Some(tenant) = self.pipeline.tenant() {
            let left = objects_left(cx, tenant.user_id, id).await?;
            ensure!(
                left.is_empty(),
                "a deleted document leaves {}",
                left.join(", ")
            );
        }
        let unknown = &cx.contract().statuses.unknown;
        for job in &self.jobs {
            if cx.contract().has(Endpoint::Job) {
                self.pipeline.show(job).await?.expect_status(unknown)?;
            }
            if cx.contract().has(Endpoint::Retry) {
                self.pipeline
                    .retry(job.job_id)
                    .await?
                    .expect_status(unknown)?;
            }
        }
        Ok(())
    }
}
