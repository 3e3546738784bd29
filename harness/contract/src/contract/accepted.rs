//! The response to a registration, and a document that is complete.

use cutover_reports::record::Finding;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::contract::Contract;
use super::field_reader::FieldReader;
use super::job_view::JobView;
use crate::probe::Response;
use cutover_evidence::stop::{CheckResult, Stop};

/// A registered document.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The job's id.
    pub job_id: Uuid,
    /// The document's id.
    pub document_id: Uuid,
    /// The signed URL for the upload of its bytes.
    pub signed_url: Url,
    /// When the URL expires, as text.
    pub upload_expires_at: Option<String>,
}

impl Accepted {
    /// Reads the response to a registration. Fields that the next steps do not need are not checked.
    pub(super) fn read(response: &Response, contract: &Contract) -> CheckResult<Self> {
        let fields = &contract.fields.accepted;
        let document = response.json()?;
        let what = format!("the response to {}", response.request);
        let reader = FieldReader::new(&what, &document);
        let url = reader.required(&fields.signed_url, reader.text(&fields.signed_url))?;
        let invalid_url = |_| {
            let summary = format!("{} is not a URL in {what}", fields.signed_url.as_str());
            Stop::violated(Finding::new(summary).comparing("an absolute URL", &url))
        };
        Ok(Self {
            job_id: reader.required(&fields.job_id, reader.uuid(&fields.job_id))?,
            document_id: reader.required(&fields.document_id, reader.uuid(&fields.document_id))?,
            signed_url: url.parse().map_err(invalid_url)?,
            upload_expires_at: reader.time(&fields.upload_expires_at)?,
        })
    }

    /// When the upload URL expires; a finding if the format differs from the contract.
    pub fn expires_at(&self, contract: &Contract) -> CheckResult<OffsetDateTime> {
        let text = self.upload_expires_at.as_deref().unwrap_or_default();
        contract.time("the expiry time of the upload URL", text)
    }
}

/// A completely processed document.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The response to its registration.
    pub accepted: Accepted,
    /// Its job in the final state.
    pub job: JobView,
}

impl Completed {
    /// The document's id.
    pub fn document_id(&self) -> Uuid {
        self.accepted.document_id
    }

    /// The job's id.
    pub fn job_id(&self) -> Uuid {
        self.accepted.job_id
    }
}
