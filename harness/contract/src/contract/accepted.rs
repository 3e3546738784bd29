//! What the pipeline says when it accepts a document, and what has become of one that arrived.

use cutover_reports::record::Finding;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::contract::Contract;
use super::field_reader::FieldReader;
use super::job_view::JobView;
use crate::probe::Response;
use cutover_evidence::stop::{CheckResult, Stop};

/// A document that was registered.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its job.
    pub job_id: Uuid,
    /// Its id.
    pub document_id: Uuid,
    /// Where to put its bytes.
    pub signed_url: Url,
    /// Until when, as it was written.
    pub upload_expires_at: Option<String>,
}

impl Accepted {
    /// Reads the answer to a registration; whatever the way on does not need is not judged.
    pub(super) fn read(reply: &Response, contract: &Contract) -> CheckResult<Self> {
        let fields = &contract.fields.accepted;
        let document = reply.json()?;
        let what = format!("the answer to {}", reply.request);
        let reader = FieldReader::of(&what, &document);
        let address = reader.required(&fields.signed_url, reader.text(&fields.signed_url))?;
        let not_an_address = |_| {
            let summary = format!("{} is no address in {what}", fields.signed_url.as_str());
            Stop::violated(Finding::new(summary).comparing("an absolute URL", &address))
        };
        Ok(Self {
            job_id: reader.required(&fields.job_id, reader.uuid(&fields.job_id))?,
            document_id: reader.required(&fields.document_id, reader.uuid(&fields.document_id))?,
            signed_url: address.parse().map_err(not_an_address)?,
            upload_expires_at: reader.text(&fields.upload_expires_at)?,
        })
    }

    /// Until when the bytes may be put; a finding when it is not written as the contract has it.
    pub fn expires_at(&self, contract: &Contract) -> CheckResult<OffsetDateTime> {
        let text = self.upload_expires_at.as_deref().unwrap_or_default();
        contract.time("the time at which the upload address expires", text)
    }
}

/// A document that arrived.
#[derive(Clone, Debug)]
pub struct Completed {
    /// What was said when it was registered.
    pub accepted: Accepted,
    /// Its job at the end.
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
