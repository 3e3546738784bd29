//! The users of a scenario: they upload and read, and repeat what got no answer.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_harness::contract::{Accepted, JobView, ResponseResult};
use cutover_harness::fault::{LinkClient, LinkName};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;

use super::answer::{Answer, Expectation, wrong_answer};
use super::history::{Action, Happened, History};
use crate::outcomes::{self, search_hits};

/// How long the users pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

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
    history: &'a History<'a>,
    link: LinkName,
    only_slowed: bool,
    expectation: Expectation,
}

impl<'a> Users<'a> {
    pub(super) fn new(
        cx: &'a Context,
        link: LinkName,
        only_slowed: bool,
        history: &'a History<'a>,
    ) -> CheckResult<Self> {
        Ok(Self {
            cx,
            pipeline: cx.pipeline()?.through_outages(),
            history,
            link,
            only_slowed,
            expectation: Expectation {
                on_the_way: link.client() == LinkClient::User,
            },
        })
    }

    /// The same, as another tenant.
    pub(super) fn as_another(&self) -> CheckResult<Self> {
        Self::new(self.cx, self.link, self.only_slowed, self.history)
    }

    /// How long an answer may take: the service waits for at most two calls of its providers.
    pub(super) fn answer_within(&self) -> Duration {
        if self.expectation.on_the_way {
            return PATIENCE;
        }
        self.cx.contract().timing.provider_timeout * 2 + MARGIN
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
        let doubtful = Cell::new(false);
        let register = async || {
            let operation = self.history.invoked(Action::Register, Some(number));
            let upload = document.upload();
            let attempt = self.pipeline.try_register(upload, self.answer_within());
            let attempt = attempt.await?;
            let ended = |event| self.history.record(operation, event);
            Ok(
                match self.expectation.read(self.history, operation, attempt)? {
                    Answer::Given(response)
                        if contract.statuses.accepted.include(response.status) =>
                    {
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
                        doubtful.set(doubtful.get() || self.may_have_committed());
                        Poll::Pending("the service cannot answer".to_owned())
                    }
                    Answer::Nothing => {
                        doubtful.set(true);
                        Poll::Pending("no answer".to_owned())
                    }
                },
            )
        };
        let within = contract.timing.complete_within;
        let what = "a registration is decided, which is repeated until it is answered";
        self.cx.eventually(what, within, register).await
    }

    /// Whether a registration that was answered by an error may be in the database: its commit may
    /// have got no answer.
    fn may_have_committed(&self) -> bool {
        matches!(self.link, LinkName::ApiToDatabase | LinkName::Database)
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
            let expectation = Expectation { on_the_way: true };
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

    /// Reads a complete document in every way, again and again, until the fault is healed.
    pub(super) async fn read_until(&self, healed: &Cell<bool>, known: &Known) -> CheckResult {
        while !healed.get() {
            for action in self.reads() {
                self.read_once(action, known).await?;
            }
            // Users pause between two looks.
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// The ways to read that the target has.
    pub(super) fn reads(&self) -> impl Iterator<Item = Action> {
        let contract = self.cx.contract();
        let ways = [
            (Action::Read, Endpoint::Job),
            (Action::Document, Endpoint::Document),
            (Action::List, Endpoint::Jobs),
            (Action::Search, Endpoint::Search),
        ];
        let given = ways.into_iter().filter(|(_, route)| contract.has(*route));
        given.map(|(action, _)| action)
    }

    /// Reads a complete document once; whether the service answered. An answer must be true.
    pub(super) async fn read_once(&self, action: Action, known: &Known) -> CheckResult<bool> {
        let operation = self.history.invoked(action, None);
        let attempt = self.attempt(action, known).await?;
        let answer = self.expectation.read(self.history, operation, attempt)?;
        let Answer::Given(response) = answer else {
            return Ok(false);
        };
        self.expect_truth(action, known, &response)?;
        self.history.record(operation, Happened::Ok);
        Ok(true)
    }

    async fn attempt(&self, action: Action, known: &Known) -> CheckResult<ResponseResult> {
        let within = self.answer_within();
        match action {
            Action::Document => self.pipeline.try_document(&known.accepted, within).await,
            Action::List => self.pipeline.try_jobs(within).await,
            Action::Search => {
                let query = known.document.nonce();
                self.pipeline.try_search(query, HITS, within).await
            }
            Action::Read | Action::Register | Action::Upload => {
                self.pipeline.try_show(&known.accepted, within).await
            }
        }
    }

    /// An answer about a complete document shows it.
    fn expect_truth(&self, action: Action, known: &Known, response: &Response) -> CheckResult {
        let contract = self.cx.contract();
        let ids = [known.accepted.job_id, known.accepted.document_id];
        let body = String::from_utf8_lossy(&response.body);
        let names_it = ids.iter().any(|id| body.contains(&id.to_string()));
        let is_true = match action {
            Action::Read => {
                response.status == 200 && {
                    let job = JobView::from_json("a job", &response.json()?, contract)?;
                    job.status == contract.vocabulary.complete
                }
            }
            Action::Document | Action::List | Action::Search => response.is_success() && names_it,
            Action::Register | Action::Upload => response.is_success(),
        };
        if is_true {
            return Ok(());
        }
        let expected = "what it was before the fault, or a status from 500";
        Err(wrong_answer(action, expected, response))
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
        if self.only_slowed {
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
const HITS: u32 = 5;

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
