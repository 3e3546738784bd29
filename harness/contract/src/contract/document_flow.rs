//! The flow of a document through the pipeline: register, upload, wait for the result.

use std::time::{Duration, Instant};

use cutover_reports::record::Finding;
use uuid::Uuid;

use super::accepted::{Accepted, Completed};
use super::client::Pipeline;
use super::endpoint::Endpoint;
use super::job_view::JobView;
use super::standing::Disagreement;
use super::upload::Upload;
use crate::probe::{HttpError, Poll, Request, Response, eventually};
use cutover_evidence::stop::{CheckResult, Stop};

/// The number of upload attempts on a machine that is too slow for the URL's lifetime.
const MAX_ATTEMPTS: usize = 3;

impl Pipeline {
    /// Registers a document without an upload of its bytes.
    pub async fn accept(&self, upload: &Upload) -> CheckResult<Accepted> {
        let response = self.register(upload).await?;
        self.check_quota(&response)?;
        let response = response.expect_status(&self.contract().statuses.accepted)?;
        Accepted::read(&response, self.contract())
    }

    /// Registers a document and uploads its bytes.
    pub async fn upload(&self, upload: impl Into<Upload>) -> CheckResult<Accepted> {
        let upload = upload.into();
        for _ in 0..MAX_ATTEMPTS {
            let started = Instant::now();
            let accepted = self.accept(&upload).await?;
            let put = self.put(&accepted.signed_url, upload.bytes.clone()).await?;
            if put.is_success() {
                return Ok(accepted);
            }
            if started.elapsed() < self.contract().limits.url_ttl {
                return Err(upload_rejected(&put));
            }
            // The harness was too slow: the document fails, and may be uploaded again.
            self.until_final(&accepted).await?;
        }
        Err(
            anyhow::anyhow!("this machine is too slow to upload a document before its URL expires")
                .into(),
        )
    }

    /// Uploads the bytes of a registered document.
    pub async fn deliver(&self, accepted: &Accepted, upload: &Upload) -> CheckResult {
        let put = self.put(&accepted.signed_url, upload.bytes.clone()).await?;
        if put.is_success() {
            return Ok(());
        }
        Err(upload_rejected(&put))
    }

    /// The response for a job, requested by its own id or by its document's id.
    pub async fn show(&self, accepted: &Accepted) -> CheckResult<Response> {
        self.ask(Endpoint::Job, self.job_request(accepted)?).await
    }

    /// The current state of a job, by the first way to read it that answers.
    pub async fn view(&self, accepted: &Accepted) -> CheckResult<JobView> {
        self.any_standing(accepted).await
    }

    /// Waits until a job meets a condition; a finding if it does not within the time limit.
    pub async fn until(
        &self,
        accepted: &Accepted,
        what: &str,
        within: Duration,
        reached: impl Fn(&JobView) -> bool,
    ) -> CheckResult<JobView> {
        let what = format!("job {}: {what}", accepted.job_id);
        let poll = async || {
            Ok(match self.poll_job(accepted).await? {
                Poll::Ready(job) if reached(&job) => Poll::Ready(job),
                Poll::Ready(job) => Poll::Pending(job.summary()),
                Poll::Pending(outage) => Poll::Pending(outage),
            })
        };
        eventually(self.http().recorder(), &what, within, poll).await
    }

    /// Waits until a job reaches a final state, whether complete or failed.
    ///
    /// If the preferred way to read its standing does not show it, but another way does for longer
    /// than the grace time, that way counts.
    pub async fn until_final(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let within = self.contract().timing.complete_within;
        let what = format!("job {}: it reaches a final state", accepted.job_id);
        let mut disagreement = Disagreement::default();
        let poll = async || {
            let job = match self.poll_job(accepted).await? {
                Poll::Ready(job) if self.is_final(&job) => return Ok(Poll::Ready(job)),
                Poll::Ready(job) => job,
                Poll::Pending(outage) => return Ok(Poll::Pending(outage)),
            };
            let elsewhere = self.final_elsewhere(accepted, &job, &mut disagreement);
            Ok(match elsewhere.await {
                Some(other) => Poll::Ready(other),
                None => Poll::Pending(job.summary()),
            })
        };
        eventually(self.http().recorder(), &what, within, poll).await
    }

    /// Waits until a job is complete; a finding if it fails.
    pub async fn until_complete(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let job = self.until_final(accepted).await?;
        let complete = &self.contract().vocabulary.complete;
        if job.status == *complete {
            return Ok(job);
        }
        let summary = format!(
            "job {} reached a final state other than complete",
            accepted.job_id
        );
        Err(Stop::violated(
            Finding::new(summary).comparing(complete, job.summary()),
        ))
    }

    /// Uploads a document and waits until it is complete.
    pub async fn complete(&self, upload: impl Into<Upload>) -> CheckResult<Completed> {
        let accepted = self.upload(upload).await?;
        let job = self.until_complete(&accepted).await?;
        Ok(Completed { accepted, job })
    }

    /// The current state of a job. `Pending` during an outage, if outages are expected.
    async fn poll_job(&self, accepted: &Accepted) -> CheckResult<Poll<JobView>> {
        if !self.through_outages || !self.contract().has(Endpoint::Job) {
            return self.any_standing(accepted).await.map(Poll::Ready);
        }
        match self.http().send(self.job_request(accepted)?).await {
            Ok(response) if response.status >= 500 => Ok(Poll::Pending(response.summary())),
            Ok(response) => self.read(accepted, response).map(Poll::Ready),
            Err(outage @ (HttpError::Unreachable { .. } | HttpError::NoResponse { .. })) => {
                Ok(Poll::Pending(outage.to_string()))
            }
            Err(error) => Err(error.into_stop()),
        }
    }

    /// The request for a job, by its document's id if the route requires that id.
    pub fn job_request(&self, accepted: &Accepted) -> CheckResult<Request> {
        self.request(Endpoint::Job, self.id_for(Endpoint::Job, accepted))
    }

    /// The id by which the route of an endpoint names a document: its own, or its job's.
    pub fn id_for(&self, endpoint: Endpoint, accepted: &Accepted) -> Uuid {
        let route = self.contract().route(endpoint);
        let by_document = route.is_some_and(|route| route.path.contains("{document_id}"));
        if by_document {
            accepted.document_id
        } else {
            accepted.job_id
        }
    }

    pub(super) fn read(&self, accepted: &Accepted, response: Response) -> CheckResult<JobView> {
        self.check_presence(Endpoint::Job, &response)?;
        let job = JobView::read(&response.expect_status(200)?, self.contract())?;
        if let (Some(gate), Some(cents)) = (self.http().gate(), job.cost_cents) {
            gate.spent(accepted.job_id, cents);
        }
        Ok(job)
    }
}

fn upload_rejected(put: &Response) -> Stop {
    let summary = "the signed URL rejects the registered bytes";
    Stop::violated(Finding::new(summary).comparing("200", put.summary()))
}
