//! The way of a document through the pipeline; where it does not go on, a finding says why.

use std::time::{Duration, Instant};

use cutover_reports::record::Finding;

use super::accepted::{Accepted, Completed};
use super::client::Pipeline;
use super::endpoint::Endpoint;
use super::job_view::JobView;
use super::upload::Upload;
use crate::probe::{HttpError, Poll, Request, Response, eventually};
use cutover_evidence::stop::{CheckResult, Stop};

/// How often an upload is tried on a machine that is too busy to be in time.
const TRIES: usize = 3;

impl Pipeline {
    /// Registers a document without putting its bytes.
    pub async fn accept(&self, upload: &Upload) -> CheckResult<Accepted> {
        let reply = self.register(upload).await?;
        self.not_spent_by_others(&reply)?;
        let reply = reply.expect_status(200)?;
        Accepted::read(&reply, self.contract())
    }

    /// Registers a document and puts its bytes.
    pub async fn upload(&self, upload: impl Into<Upload>) -> CheckResult<Accepted> {
        let upload = upload.into();
        for _ in 0..TRIES {
            let since = Instant::now();
            let accepted = self.accept(&upload).await?;
            let put = self.put(&accepted.signed_url, upload.bytes.clone()).await?;
            if put.is_success() {
                return Ok(accepted);
            }
            if since.elapsed() < self.contract().limits.url_ttl {
                return Err(refuses_the_bytes(&put));
            }
            // We were too slow ourselves: the document fails, and may be sent again.
            self.until_final(&accepted).await?;
        }
        Err(anyhow::anyhow!("this machine is too busy to upload before an address expires").into())
    }

    /// Puts the bytes of a document that was registered.
    pub async fn deliver(&self, accepted: &Accepted, upload: &Upload) -> CheckResult {
        let put = self.put(&accepted.signed_url, upload.bytes.clone()).await?;
        if put.is_success() {
            return Ok(());
        }
        Err(refuses_the_bytes(&put))
    }

    /// What the pipeline shows of a job now: asked for by its own id, or by its document's.
    pub async fn show(&self, accepted: &Accepted) -> CheckResult<Response> {
        self.ask(Endpoint::Job, self.about(accepted)?).await
    }

    /// A job as the pipeline shows it now.
    pub async fn view(&self, accepted: &Accepted) -> CheckResult<JobView> {
        self.read(accepted, self.show(accepted).await?)
    }

    /// Waits until a job is as described; it is a finding when it never is.
    pub async fn until(
        &self,
        accepted: &Accepted,
        what: &str,
        within: Duration,
        reached: impl Fn(&JobView) -> bool,
    ) -> CheckResult<JobView> {
        let what = format!("job {}: {what}", accepted.job_id);
        let look = async || {
            Ok(match self.glance(accepted).await? {
                Poll::Ready(job) if reached(&job) => Poll::Ready(job),
                Poll::Ready(job) => Poll::Pending(job.summary()),
                Poll::Pending(outage) => Poll::Pending(outage),
            })
        };
        eventually(self.http().recorder(), &what, within, look).await
    }

    /// Waits until a job stays as it is, well or ill.
    pub async fn until_final(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let vocabulary = &self.contract().vocabulary;
        let within = self.contract().timing.complete_within;
        let is_final = |job: &JobView| vocabulary.is_final(&job.status, job.state.as_deref());
        self.until(accepted, "it reaches a final state", within, is_final)
            .await
    }

    /// Waits until a job is complete; it is a finding when it fails instead.
    pub async fn until_complete(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let job = self.until_final(accepted).await?;
        let complete = &self.contract().vocabulary.complete;
        if job.status == *complete {
            return Ok(job);
        }
        let summary = format!(
            "job {} ended without completing its document",
            accepted.job_id
        );
        Err(Stop::violated(
            Finding::new(summary).comparing(complete, job.summary()),
        ))
    }

    /// Sends a document all the way.
    pub async fn complete(&self, upload: impl Into<Upload>) -> CheckResult<Completed> {
        let accepted = self.upload(upload).await?;
        let job = self.until_complete(&accepted).await?;
        Ok(Completed { accepted, job })
    }

    /// A job as it is shown now, or the outage that hides it, if outages are expected.
    async fn glance(&self, accepted: &Accepted) -> CheckResult<Poll<JobView>> {
        match self.http().send(self.about(accepted)?).await {
            Ok(reply) if self.through_outages && reply.status >= 500 => {
                Ok(Poll::Pending(reply.summary()))
            }
            Ok(reply) => self.read(accepted, reply).map(Poll::Ready),
            Err(outage @ (HttpError::Unreachable { .. } | HttpError::NoResponse { .. }))
                if self.through_outages =>
            {
                Ok(Poll::Pending(outage.to_string()))
            }
            Err(error) => Err(error.into_stop()),
        }
    }

    /// Asks for a job by its own id, or by its document's where the target has only that.
    fn about(&self, accepted: &Accepted) -> CheckResult<Request> {
        let route = self.contract().route(Endpoint::Job);
        let by_document = route.is_some_and(|route| route.path.contains("{document_id}"));
        let id = if by_document {
            accepted.document_id
        } else {
            accepted.job_id
        };
        self.request(Endpoint::Job, id)
    }

    fn read(&self, accepted: &Accepted, reply: Response) -> CheckResult<JobView> {
        self.check_presence(Endpoint::Job, &reply)?;
        let job = JobView::read(&reply.expect_status(200)?, self.contract())?;
        if let (Some(gate), Some(cents)) = (self.http().gate(), job.cost_cents) {
            gate.spent(accepted.job_id, cents);
        }
        Ok(job)
    }
}

fn refuses_the_bytes(put: &Response) -> Stop {
    let summary = "the signed address refuses the bytes that were registered for it";
    Stop::violated(Finding::new(summary).comparing("200", put.summary()))
}
