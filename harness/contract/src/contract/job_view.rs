//! A job as the pipeline shows it.

use serde_json::Value;
use uuid::Uuid;

use super::contract::Contract;
use super::field_reader::FieldReader;
use crate::probe::Response;
use cutover_evidence::stop::CheckResult;

/// A job as the pipeline shows it; what a target does not give is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    /// Its id.
    pub job_id: Option<Uuid>,
    /// Its document's id.
    pub document_id: Option<Uuid>,
    /// How far it is.
    pub status: String,
    /// Where it stands in the queue.
    pub state: Option<String>,
    /// How often it was tried again.
    pub retry_count: Option<u64>,
    /// How far the stage is, in percent.
    pub stage_percent: Option<f64>,
    /// How far the whole is, in percent.
    pub total_percent: Option<f64>,
    /// What it has cost.
    pub cost_cents: Option<f64>,
    /// Why it failed last.
    pub last_error: Option<Value>,
    /// When it last changed, as it was written.
    pub updated_at: Option<String>,
}

impl JobView {
    /// Reads the answer to a question for one job.
    pub(super) fn read(reply: &Response, contract: &Contract) -> CheckResult<Self> {
        Self::of(
            &format!("the answer to {}", reply.request),
            &reply.json()?,
            contract,
        )
    }

    /// Reads one job; a value of the wrong type is a finding.
    pub fn of(what: &str, job: &Value, contract: &Contract) -> CheckResult<Self> {
        let fields = &contract.fields.job;
        let reader = FieldReader::of(what, job);
        Ok(Self {
            job_id: reader.uuid(&fields.job_id)?,
            document_id: reader.uuid(&fields.document_id)?,
            status: reader.required(&fields.status, reader.text(&fields.status))?,
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
            updated_at: reader.text(&fields.updated_at)?,
        })
    }

    /// Status, state and the last error, for a sentence.
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
        JobView::of("the job", job, &Contract::fixture())
    }

    #[test]
    fn what_is_missing_is_none_and_what_is_there_is_read() {
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
