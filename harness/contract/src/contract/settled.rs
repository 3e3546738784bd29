//! Waits until the documents of a trial keep no worker busy.

use std::time::Duration;

use super::client::Pipeline;
use super::created_documents::CreatedDocuments;
use super::endpoint::Endpoint;
use crate::probe::{Poll, eventually};
use cutover_evidence::stop::CheckResult;

impl Pipeline {
    /// Waits until each uploaded document of a trial has reached a final state or is gone. Returns whether all
    /// have within this time.
    pub async fn until_settled(&self, created: &CreatedDocuments, within: Duration) -> bool {
        let documents = created.uploads();
        let all = async || -> CheckResult<Poll<()>> {
            for (tenant, accepted) in &documents {
                let owner = self.as_tenant(tenant.clone());
                let Ok(request) = owner.job_request(accepted) else {
                    // The target has no route that tells; its documents count as final.
                    return Ok(Poll::Ready(()));
                };
                let response = owner.ask(Endpoint::Job, request).await?;
                if response.status == 404 {
                    continue;
                }
                let job = owner.read(accepted, response)?;
                let vocabulary = &self.contract().vocabulary;
                if !vocabulary.is_final(&job.status, job.state.as_deref()) {
                    return Ok(Poll::Pending(job.summary()));
                }
            }
            Ok(Poll::Ready(()))
        };
        let what = "the documents of the check keep no worker busy";
        let settled = eventually(self.http().recorder(), what, within, all).await;
        settled.is_ok()
    }
}
