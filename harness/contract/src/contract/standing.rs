//! The standing of a document: in progress, complete or failed, read in any way that a target has.

use std::time::Duration;

use cutover_reports::record::{Evidence, Observation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::accepted::Accepted;
use super::client::Pipeline;
use super::contract::Contract;
use super::duration::DurationText;
use super::endpoint::Endpoint;
use super::field_reader::FieldReader;
use super::job_view::JobView;
use crate::probe::{HttpError, Response};
use cutover_evidence::stop::{CheckResult, Stop};
use cutover_reports::record::Finding;

/// A way to read the standing of a document.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The route of one job.
    Job,
    /// The route of one document.
    Document,
    /// The list of jobs.
    Jobs,
    /// The row of the job, by SQL.
    Database,
}

impl Way {
    /// Its description in findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Job => "the job route",
            Self::Document => "the document route",
            Self::Jobs => "the list of jobs",
            Self::Database => "the row of the job",
        }
    }
}

/// How the standing of a document is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingRules {
    /// The ways that may be used, in order of preference. A way that the target does not have is
    /// left out.
    pub read: Vec<Way>,
    /// How long two ways may differ before that is a defect.
    #[serde(with = "DurationText")]
    pub grace: Duration,
}

impl StandingRules {
    /// The wrong key, and the remedy.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        self.read.is_empty().then(|| {
            let detail =
                "is empty; list at least one of \"job\", \"document\", \"jobs\", \"database\"";
            ("standing.read".to_owned(), detail.to_owned())
        })
    }
}

impl Contract {
    /// The ways to read a document's standing, in order of preference.
    pub fn ways(&self, has_database: bool) -> Vec<Way> {
        let fields = &self.fields;
        let exists = |way: &Way| match way {
            Way::Job => self.has(Endpoint::Job) && fields.job.status.is_given(),
            Way::Document => self.has(Endpoint::Document) && fields.document.status.is_given(),
            Way::Jobs => {
                let by_id = fields.job.job_id.is_given() || fields.job.document_id.is_given();
                self.has(Endpoint::Jobs) && fields.job.status.is_given() && by_id
            }
            Way::Database => has_database,
        };
        let read = self.standing.read.iter().copied();
        read.filter(exists).collect()
    }
}

/// Since when another way shows a final standing and the preferred one does not.
#[derive(Default)]
pub(super) struct Disagreement {
    looked: Option<Instant>,
    since: Option<Instant>,
}

impl Pipeline {
    /// The ways of this target to read a document's standing, in order of preference.
    pub fn ways(&self) -> Vec<Way> {
        self.contract().ways(self.database().is_some())
    }

    /// The standing of a document as one way shows it.
    pub async fn standing(&self, way: Way, accepted: &Accepted) -> CheckResult<JobView> {
        match way {
            Way::Job => {
                let sent = self.http().send(self.job_request(accepted)?).await;
                self.read(accepted, sent.map_err(HttpError::into_stop)?)
            }
            Way::Document => self.document_standing(accepted).await,
            Way::Jobs => self.listed_standing(accepted).await,
            Way::Database => Box::pin(self.stored_standing(accepted)).await,
        }
    }

    /// The standing as the first way shows it that answers; the error of the first way if none does.
    pub(super) async fn any_standing(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let ways = self.ways();
        let Some((first, others)) = ways.split_first() else {
            return Err(Stop::not_applicable(
                "the contract declares no way to read the standing of a document (standing.read)",
            ));
        };
        let failure = match self.standing(*first, accepted).await {
            Ok(job) => return Ok(job),
            Err(stop) => stop,
        };
        for way in others {
            if let Ok(job) = self.standing(*way, accepted).await {
                let text = format!(
                    "{} fails, so the standing is read from {}: {}",
                    first.name(),
                    way.name(),
                    failure.summary()
                );
                self.note_standing(text, &job);
                return Ok(job);
            }
        }
        Err(failure)
    }

    /// The final standing that another way shows, if it has shown it for longer than the grace time
    /// while the preferred way did not.
    pub(super) async fn final_elsewhere(
        &self,
        accepted: &Accepted,
        shown: &JobView,
        disagreement: &mut Disagreement,
    ) -> Option<JobView> {
        let grace = self.contract().standing.grace;
        let looked = disagreement.looked.get_or_insert_with(Instant::now);
        if looked.elapsed() < grace {
            return None;
        }
        *looked = Instant::now();
        for way in self.ways().into_iter().filter(|way| *way != shown.way) {
            let other = self.standing(way, accepted).await;
            let is_final = |job: &JobView| self.is_final(job) && !self.is_retried(shown, job);
            let Some(other) = other.ok().filter(is_final) else {
                continue;
            };
            let since = disagreement.since.get_or_insert_with(Instant::now);
            if since.elapsed() < grace {
                return None;
            }
            let text = format!(
                "{} still shows '{}', so the standing is read from {}",
                shown.way.name(),
                shown.status,
                way.name()
            );
            self.note_standing(text, &other);
            return Some(other);
        }
        disagreement.since = None;
        None
    }

    /// Whether a job is in a final state.
    pub(super) fn is_final(&self, job: &JobView) -> bool {
        let vocabulary = &self.contract().vocabulary;
        vocabulary.is_final(&job.status, job.state.as_deref())
    }

    /// Whether a failure that a way without states shows is the one that `shown` says is tried again.
    fn is_retried(&self, shown: &JobView, other: &JobView) -> bool {
        let vocabulary = &self.contract().vocabulary;
        let fails = |job: &JobView| vocabulary.is_failure(&job.status);
        fails(shown) && shown.state.is_some() && fails(other) && other.state.is_none()
    }

    fn note_standing(&self, summary: String, job: &JobView) {
        let observation = Observation {
            surface: "api".to_owned(),
            summary,
            value: json!(job.summary()),
        };
        self.http()
            .recorder()
            .record(Evidence::Observed(observation));
    }

    async fn document_standing(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let request = self.request(Endpoint::Document, accepted.document_id)?;
        let response = self.http().send(request).await;
        self.standing_in_document(response.map_err(HttpError::into_stop)?)
    }

    /// The standing of a document that a response for it shows.
    pub fn standing_in_document(&self, response: Response) -> CheckResult<JobView> {
        self.check_presence(Endpoint::Document, &response)?;
        let response = response.expect_status(200)?;
        let (what, body) = (
            format!("the response to {}", response.request),
            response.json()?,
        );
        let (fields, vocabulary) = (
            &self.contract().fields.document,
            &self.contract().vocabulary,
        );
        let reader = FieldReader::new(&what, &body);
        let word = match reader.text(&fields.status)? {
            None if vocabulary.unset_status => vocabulary.registered.clone(),
            word => reader.required(&fields.status, Ok(word))?,
        };
        let Some((status, names_stage)) = vocabulary.job_status_of(&word) else {
            let summary = format!("{what} has a status that vocabulary.documents does not list");
            return Err(Stop::violated(
                Finding::new(summary).comparing("a listed status", word),
            ));
        };
        Ok(JobView {
            names_stage,
            ..JobView::with_status(status, Way::Document)
        })
    }

    async fn listed_standing(&self, accepted: &Accepted) -> CheckResult<JobView> {
        self.standing_in_list(accepted, &self.list_of_jobs().await?)
    }

    /// The standing of a document that a list of jobs shows.
    pub fn standing_in_list(
        &self,
        accepted: &Accepted,
        response: &Response,
    ) -> CheckResult<JobView> {
        let fields = &self.contract().fields;
        let (what, body) = (
            format!("the response to {}", response.request),
            response.json()?,
        );
        let listed = fields.jobs.jobs.find(&body).and_then(Value::as_array);
        let is_it = |job: &&Value| {
            let is = |at: &super::Pointer, id: Uuid| {
                let found = at.find(job).and_then(Value::as_str);
                found.is_some_and(|text| text.parse() == Ok(id))
            };
            is(&fields.job.job_id, accepted.job_id)
                || (!fields.job.job_id.is_given()
                    && is(&fields.job.document_id, accepted.document_id))
        };
        let Some(job) = listed.and_then(|jobs| jobs.iter().find(is_it)) else {
            let summary = format!("{what} does not list job {}", accepted.job_id);
            return Err(Stop::violated(Finding::new(summary)));
        };
        let job = JobView::from_json(&what, job, self.contract())?;
        Ok(JobView {
            way: Way::Jobs,
            ..job
        })
    }

    /// The newest jobs of the tenant.
    pub(super) async fn list_of_jobs(&self) -> CheckResult<Response> {
        let most = self.contract().limits.page_max.to_string();
        let limit = self.contract().requests.jobs.name_of("limit");
        let limit = limit.map(|name| (name, most.as_str()));
        let request = self.request(Endpoint::Jobs, "")?.query(limit);
        let response = self.http().send(request).await;
        let response = response.map_err(HttpError::into_stop)?;
        self.check_presence(Endpoint::Jobs, &response)?;
        response.expect_status(200)
    }

    async fn stored_standing(&self, accepted: &Accepted) -> CheckResult<JobView> {
        let Some(database) = self.database() else {
            return Err(Stop::not_applicable("the database cannot be read"));
        };
        let Some(row) = database.job(accepted.job_id).await? else {
            let summary = format!("job {} has no row", accepted.job_id);
            return Err(Stop::violated(Finding::new(summary)));
        };
        Ok(JobView {
            state: row.state,
            ..JobView::with_status(&row.status, Way::Database)
        })
    }
}
