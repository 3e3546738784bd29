//! The users of a scenario: they upload, retry and delete, and repeat what got no answer.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_harness::contract::{Accepted, JobView};
use cutover_harness::prelude::*;

use super::allowed::Allowed;
use super::answer::{Answer, Expectation, wrong_answer};
use super::history::{Action, Happened, History};
use crate::outcomes::{self, objects_left, search_hits};

/// What a user waits for an answer when the fault is on the way to the API.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What a service may need beyond the time limits of its providers.
const MARGIN: Duration = Duration::from_secs(5);

/// A document that is complete.
pub(super) struct Known {
    pub(super) document: Document,
    pub(super) accepted: Accepted,
}

/// The users of a scenario, who are one tenant.
pub(super) struct Users<'a> {
    pub(super) cx: &'a Context,
    pub(super) pipeline: Pipeline,
    pub(super) history: &'a History<'a>,
    allowed: Allowed,
}

impl<'a> Users<'a> {
    pub(super) fn new(
        cx: &'a Context,
        allowed: Allowed,
        history: &'a History<'a>,
    ) -> CheckResult<Self> {
        Ok(Self {
            cx,
            pipeline: cx.pipeline()?.through_outages(),
            history,
            allowed,
        })
    }

    /// The same, as another tenant.
    pub(super) fn as_another(&self) -> CheckResult<Self> {
        Self::new(self.cx, self.allowed, self.history)
    }

    /// How long an answer may take: the service waits for at most two calls of its providers.
    pub(super) fn answer_within(&self) -> Duration {
        if self.allowed.no_answer() {
            return PATIENCE;
        }
        self.cx.contract().timing.provider_timeout * 2 + MARGIN
    }

    /// What the answer to a request must be.
    pub(super) fn expectation(&self, action: Action) -> Expectation {
        Expectation {
            on_the_way: self.allowed.no_answer(),
            needs_link: self.allowed.needs(action),
            error_answer: self.allowed.error_answer(action),
        }
    }

    /// Uploads a document; nothing if nobody can know whether its registration has succeeded.
    pub(super) async fn deliver(
        &self,
        number: usize,
        document: &Document,
    ) -> CheckResult<Option<Accepted>> {
        let registered = Instant::now();
        let Some(accepted) = self.register(number, document).await? else {
            return Ok(None);
        };
        let in_time = || registered.elapsed() < self.cx.contract().limits.url_ttl / 2;
        let is_uploaded = self.upload(number, &accepted, document, &in_time).await?;
        Ok(is_uploaded.then_some(accepted))
    }

    /// Registers a document, and repeats it until it is decided.
    async fn register(&self, number: usize, document: &Document) -> CheckResult<Option<Accepted>> {
        let contract = self.cx.contract();
        let (doubtful, expectation) = (Cell::new(false), self.expectation(Action::Register));
        let register = async || {
            let operation = self.history.invoked(Action::Register, Some(number));
            let upload = document.upload();
            let attempt = self.pipeline.try_register(upload, self.answer_within());
            let attempt = attempt.await?;
            let ended = |event| self.history.record(operation, event);
            Ok(match expectation.read(self.history, operation, attempt)? {
                Answer::Given(response) if contract.statuses.accepted.include(response.status) => {
                    ended(Happened::Ok);
                    Poll::Ready(Some(Accepted::read(&response, contract)?))
                }
                Answer::Given(response) => {
                    let status = response.status;
                    ended(Happened::Failed { status });
                    let is_duplicate = contract.statuses.duplicate.include(status);
                    if !(is_duplicate && doubtful.get()) {
                        let expected = contract.statuses.accepted.to_string();
                        return Err(wrong_answer(Action::Register, &expected, &response));
                    }
                    Poll::Ready(None)
                }
                Answer::Busy => {
                    doubtful.set(doubtful.get() || self.allowed.effect_after_error());
                    Poll::Pending("the service cannot answer".to_owned())
                }
                Answer::Nothing => {
                    doubtful.set(true);
                    Poll::Pending("no answer".to_owned())
                }
            })
        };
        let within = contract.timing.complete_within;
        let what = "a registration is decided, which is repeated until it is answered";
        self.cx.eventually(what, within, register).await
    }

    /// Uploads the bytes, and repeats it until it is decided; false if the URL is too old by then.
    async fn upload(
        &self,
        number: usize,
        accepted: &Accepted,
        document: &Document,
        in_time: &impl Fn() -> bool,
    ) -> CheckResult<bool> {
        let doubtful = Cell::new(false);
        let put = async || {
            if !in_time() {
                return Ok(Poll::Ready(false));
            }
            let operation = self.history.invoked(Action::Upload, Some(number));
            let upload = document.upload();
            let attempt = self
                .pipeline
                .try_put(&accepted.signed_url, upload, PATIENCE);
            let attempt = attempt.await;
            let ended = |event| self.history.record(operation, event);
            // The storage is no part of the service.
            let expectation = Expectation {
                on_the_way: true,
                needs_link: true,
                error_answer: true,
            };
            Ok(match expectation.read(self.history, operation, attempt)? {
                // A signed URL is used up by the upload whose answer was lost.
                Answer::Given(response) if response.is_success() || doubtful.get() => {
                    ended(Happened::Ok);
                    Poll::Ready(true)
                }
                Answer::Given(response) => {
                    return Err(wrong_answer(Action::Upload, "success", &response));
                }
                Answer::Busy => Poll::Pending("the storage cannot answer".to_owned()),
                Answer::Nothing => {
                    doubtful.set(true);
                    Poll::Pending("no answer".to_owned())
                }
            })
        };
        let within = self.cx.contract().timing.complete_within;
        let what = "an upload is decided, which is repeated until it is answered";
        self.cx.eventually(what, within, put).await
    }

    /// Whether the service says that a document is complete; false if it does not answer.
    pub(super) async fn is_complete(&self, accepted: &Accepted) -> CheckResult<bool> {
        let contract = self.cx.contract();
        let shown = self.pipeline.try_show(accepted, PATIENCE).await?;
        let Ok(response) = shown else {
            return Ok(false);
        };
        if !response.is_success() {
            return Ok(false);
        }
        let job = JobView::from_json("a job", &response.json()?, contract)?;
        Ok(job.status == contract.vocabulary.complete)
    }

    /// Retries a job, whatever its state is. That it is refused is an answer, too.
    pub(super) async fn retry(&self, number: usize, accepted: &Accepted) -> CheckResult {
        let operation = self.history.invoked(Action::Retry, Some(number));
        let attempt = self
            .pipeline
            .try_retry(accepted.job_id, self.answer_within())
            .await?;
        let expectation = self.expectation(Action::Retry);
        if let Answer::Given(response) = expectation.read(self.history, operation, attempt)? {
            let status = response.status;
            let event = if response.is_success() {
                Happened::Ok
            } else {
                Happened::Failed { status }
            };
            self.history.record(operation, event);
        }
        Ok(())
    }

    /// Deletes a document, and repeats it until it is decided.
    pub(super) async fn delete(&self, number: usize, accepted: &Accepted) -> CheckResult {
        let contract = self.cx.contract();
        let doubtful = Cell::new(false);
        let delete = async || {
            let operation = self.history.invoked(Action::Delete, Some(number));
            let document = accepted.document_id;
            let attempt = self
                .pipeline
                .try_delete(document, self.answer_within())
                .await?;
            let expectation = self.expectation(Action::Delete);
            let Answer::Given(response) = expectation.read(self.history, operation, attempt)?
            else {
                doubtful.set(true);
                return Ok(Poll::Pending("no answer".to_owned()));
            };
            let (statuses, status) = (&contract.statuses, response.status);
            let is_gone =
                statuses.unknown.include(status) || statuses.deleted_again.include(status);
            if response.is_success() || (doubtful.get() && is_gone) {
                self.history.record(operation, Happened::Ok);
                return Ok(Poll::Ready(()));
            }
            Err(wrong_answer(Action::Delete, "success", &response))
        };
        let what = "a deletion is decided, which is repeated until it is answered";
        let within = contract.timing.complete_within;
        self.cx.eventually(what, within, delete).await
    }

    /// Nothing is left of a deleted document.
    pub(super) async fn expect_gone(
        &self,
        accepted: &Accepted,
        document: &Document,
    ) -> CheckResult {
        let database = self.cx.database()?;
        let chunks = database.chunks_of(accepted.document_id).await?;
        ensure!(
            chunks.is_empty(),
            "a deleted document has {} chunks",
            chunks.len()
        );
        self.expect_no_object(accepted).await?;
        if self.cx.contract().has(Endpoint::Search) {
            let hits = search_hits(self.cx, &self.pipeline, document.nonce(), HITS).await?;
            ensure!(hits.is_empty(), "a deleted document is found by a search");
        }
        Ok(())
    }

    /// No object of a deleted document is stored.
    async fn expect_no_object(&self, accepted: &Accepted) -> CheckResult {
        let Some(tenant) = self.pipeline.tenant() else {
            return Ok(());
        };
        let left = objects_left(self.cx, tenant.user_id, accepted.document_id).await?;
        ensure!(
            left.is_empty(),
            "a deleted document has objects: {}",
            left.join(", ")
        );
        Ok(())
    }

    /// Uploads a document and waits until it is complete; how long that took.
    pub(super) async fn complete(&self, document: Document) -> CheckResult<(Known, Duration)> {
        let began = Instant::now();
        let accepted = self.pipeline.upload(&document).await?;
        self.pipeline.until_complete(&accepted).await?;
        let took = began.elapsed();
        if self.cx.contract().has(Endpoint::Search) {
            let hits = search_hits(self.cx, &self.pipeline, document.nonce(), HITS).await?;
            ensure!(!hits.is_empty(), "a complete document is not found");
        }
        Ok((Known { document, accepted }, took))
    }

    /// The document completes, by itself or, if the fault has used up its retries, after a retry by its user.
    pub(super) async fn expect_arrival(
        &self,
        number: usize,
        accepted: &Accepted,
        document: &Document,
    ) -> CheckResult {
        let (contract, pipeline) = (self.cx.contract(), &self.pipeline);
        let job = pipeline.until_final(accepted).await?;
        let complete = job.status == contract.vocabulary.complete;
        self.history
            .noted(Some(number), Happened::Seen { complete });
        if !self.allowed.retries() {
            let retries = job.retry_count.unwrap_or_default();
            ensure!(
                complete && retries == 0,
                "a fault that only slows a document down costs it {retries} retries: {}",
                job.summary()
            );
        }
        if !complete {
            expect_used_up(contract.timing.max_retries, &job)?;
            let retried = pipeline.retry(accepted.job_id).await?;
            ensure!(
                retried.is_success(),
                "a document that failed because of a fault cannot be retried: {}",
                retried.summary()
            );
        }
        outcomes::expect_complete(self.cx, pipeline, accepted, document).await?;
        let complete = true;
        self.history
            .noted(Some(number), Happened::Seen { complete });
        Ok(())
    }
}

/// The results of a search for one document.
pub(super) const HITS: u32 = 5;

/// A document that failed because of a fault has no retry left, and says why.
fn expect_used_up(max_retries: u32, job: &JobView) -> CheckResult {
    let retries = job.retry_count.unwrap_or(u64::from(max_retries));
    ensure!(
        retries >= u64::from(max_retries),
        "a short fault fails a document after {retries} of {max_retries} retries: {}",
        job.summary()
    );
    ensure!(
        job.last_error.is_some(),
        "a document that failed because of a fault does not say why: {}",
        job.summary()
    );
    Ok(())
}
