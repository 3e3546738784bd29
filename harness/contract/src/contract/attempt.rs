//! Requests during a fault: that a request gets no answer is a result like any other.

use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::accepted::Accepted;
use super::client::Pipeline;
use super::endpoint::Endpoint;
use super::upload::Upload;
use crate::probe::{HttpError, Request, Response};
use cutover_evidence::stop::CheckResult;

/// A complete response, or why there is none.
pub type ResponseResult = Result<Response, HttpError>;

impl Pipeline {
    /// Registers a document; the answer may take this long.
    pub async fn try_register(
        &self,
        upload: &Upload,
        within: Duration,
    ) -> CheckResult<ResponseResult> {
        let body = self.contract().requests.upload.body(upload);
        let request = self.request(Endpoint::Upload, "")?.json(&body);
        self.before_registration(&request)?;
        let attempt = self.http().send(request.within(within)).await;
        if let Ok(response) = &attempt {
            self.after_registration(response);
        }
        Ok(attempt)
    }

    /// Uploads the bytes of a document.
    pub async fn try_put(
        &self,
        signed_url: &Url,
        upload: &Upload,
        within: Duration,
    ) -> ResponseResult {
        let mime = &self.contract().limits.mime;
        let request = Request::put(signed_url.clone()).body(mime, upload.bytes.clone());
        self.http()
            .surface("storage")
            .send(request.within(within))
            .await
    }

    /// Reads a job, by its own id or by its document's id.
    pub async fn try_show(
        &self,
        accepted: &Accepted,
        within: Duration,
    ) -> CheckResult<ResponseResult> {
        let request = self.job_request(accepted)?;
        Ok(self.http().send(request.within(within)).await)
    }

    /// Reads a document.
    pub async fn try_document(
        &self,
        accepted: &Accepted,
        within: Duration,
    ) -> CheckResult<ResponseResult> {
        let request = self.request(Endpoint::Document, accepted.document_id)?;
        Ok(self.http().send(request.within(within)).await)
    }

    /// Retries a job, as its user.
    pub async fn try_retry(&self, job: Uuid, within: Duration) -> CheckResult<ResponseResult> {
        let request = self.request(Endpoint::Retry, job)?;
        Ok(self.http().send(request.within(within)).await)
    }

    /// Deletes a document.
    pub async fn try_delete(
        &self,
        document: Uuid,
        within: Duration,
    ) -> CheckResult<ResponseResult> {
        let request = self.request(Endpoint::DeleteDocument, document)?;
        Ok(self.http().send(request.within(within)).await)
    }

    /// Lists the tenant's jobs.
    pub async fn try_jobs(&self, within: Duration) -> CheckResult<ResponseResult> {
        let request = self.request(Endpoint::Jobs, "")?;
        Ok(self.http().send(request.within(within)).await)
    }

    /// Searches the tenant's chunks.
    pub async fn try_search(
        &self,
        query: &str,
        k: u32,
        within: Duration,
    ) -> CheckResult<ResponseResult> {
        let body = self.contract().requests.search.body(query, k);
        let request = self.request(Endpoint::Search, "")?.json(&body);
        Ok(self.http().send(request.within(within)).await)
    }
}
