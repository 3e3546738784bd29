//! A job as the API returns it.

use serde_json::Value;
use uuid::Uuid;

use super::contract::Contract;
use super::field_reader::FieldReader;
use super::standing::Way;
use crate::probe::Response;
use cutover_evidence::stop::CheckResult;

/// A job as the API returns it; fields that a target does not return are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    /// Its id.
    pub job_id: Option<Uuid>,
    /// Its document's id.
    pub document_id: Option<Uuid>,
    /// Its status.
    pub status: String,
    /// Its queue state.
    pub state: Option<String>,
    /// The number of retries.
    pub retry_count: Option<u64>,
    /// The progress of the stage in percent.
    pub stage_percent: Option<f64>,
    /// The total progress in percent.
    pub total_percent: Option<f64>,
    /// Its cost in cents.
    pub cost_cents: Option<f64>,
    /// The most recent error.
    pub last_error: Option<Value>,
    /// When it last changed, as text.
    pub updated_at: Option<String>,
    /// How it was read.
    pub way: Way,
    /// Whether its status names the stage, and not just that it failed or is in progress.
    pub names_stage: bool,
}

impl JobView {
    /// Reads the response for one job.
    pub(super) fn read(response: &Response, contract: &Contract) -> CheckResult<Self> {
        Self::from_json(
            &format!("the response to {}", response.request),
            &response.json()?,
            contract,
        )
    }

    /// Reads one job; a value of the wrong type is a finding.
    pub fn from_json(what: &str, job: &Value, contract: &Contract) -> CheckResult<Self> {
        let fields = &contract.fields.job;
        let reader = FieldReader::new(what, job);
        let status = match reader.text(&fields.status)? {
            // A job without a status has not begun yet.
            None if contract.vocabulary.unset_status && fields.status.find(job).is_some() => {
                contract.vocabulary.registered.clone()
            }
            status => reader.required(&fields.status, Ok(status))?,
        };
        Ok(Self {
            job_id: reader.uuid(&fields.job_id)?,
            document_id: reader.uuid(&fields.document_id)?,
            status,
            state: reader.text(&fields.state)?,
            retry_count: reader.count(&fields.retry_count)?,
            stage_percent: reader.number(&fields.stage_percent)?,
            total_percent: reader.number(&fields.total_percent)?,
            cost_cents: reader.number(&fields.cost_cents)?,
            last_error: fields
                .last_error
                .find(job)
                .filter(|error| !error.is_null())
                .cloned(),
            updated_at: reader.time(&fields.updated_at)?,
            way: Way::Job,
            names_stage: true,
        })
    }

    /// A job of which only the status is known.
    pub(super) fn with_status(status: &str, way: Way) -> Self {
        Self {
            job_id: None,
            document_id: None,
            status: status.to_owned(),
            state: None,
            retry_count: None,
            stage_percent: None,
            total_percent: None,
            cost_cents: None,
            last_error: None,
            updated_at: None,
            way,
            names_stage: true,
        }
    }

    /// Status, state and the last error on one line.
    pub fn summary(&self) -> String {
        let state = self.state.as_deref().unwrap_or("no state");
        match &self.last_error {
            None => format!("{}, {state}", self.status),
            Some(error) => format!("{}, {state}, last error {error}", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use cutover_evidence::stop::Stop;

    fn view(job: &Value) -> CheckResult<JobView> {
        JobView::from_json("the job", job, &Contract::fixture())
    }

    #[test]
    fn a_missing_field_is_none_and_an_existing_field_is_read() {
        let job = view(&json!({"status": "failed_parse", "state": "deadletter", "progress": {"total_pct": 12.5},
            "last_error": {"code": "parser_401"}}))
        .unwrap();
        assert_eq!(job.job_id, None);
        assert_eq!(job.total_percent, Some(12.5));
        assert_eq!(
            job.summary(),
            r#"failed_parse, deadletter, last error {"code":"parser_401"}"#
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_a_finding() {
        for job in [
            json!({"status": 7}),
            json!({}),
            json!({"status": "a", "retry_count": -1}),
            json!({"status": "a", "job_id": "x"}),
        ] {
            assert!(matches!(view(&job), Err(Stop::Violated(_))), "{job}");
        }
    }
}
