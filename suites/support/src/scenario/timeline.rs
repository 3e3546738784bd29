//! The timeline of a scenario: the status of every document, sampled from before the fault until after it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use cutover_harness::contract::read;
use cutover_harness::fault::LinkName;
use cutover_harness::prelude::*;
use cutover_harness::probe::JobRow;
use cutover_harness::record::Observation;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::history::{Entry, Happened, History};
use super::users::Users;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_millis(200);

/// How many jobs have each status at a moment, and their retries.
#[derive(Debug, PartialEq, Serialize)]
struct Sample {
    /// Milliseconds since the scenario began.
    at_ms: f64,
    statuses: BTreeMap<String, u64>,
    retries: i64,
}

/// The samples of a scenario so far; one that is like the one before it is left out.
pub(super) struct Timeline<'a> {
    history: &'a History<'a>,
    samples: RefCell<Vec<Sample>>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(history: &'a History<'a>) -> Self {
        Self {
            history,
            samples: RefCell::default(),
        }
    }

    /// Samples the jobs of the users until the scenario is over. One that is complete stays so.
    pub(super) async fn follow(&self, users: &Users<'_>, over: &Cell<bool>) -> CheckResult {
        let Some(tenant) = users.pipeline.tenant() else {
            return Ok(());
        };
        let tables = &users.cx.contract().database;
        if !tables.has(read::DOCUMENTS) || !tables.has(read::JOBS) {
            return Ok(());
        }
        let database = users.cx.database()?;
        let mut complete = Complete::default();
        while !over.get() {
            // A sample that the database does not give is missing.
            if let Ok(jobs) = database.jobs_of_user(tenant.user_id).await {
                self.add(&jobs);
                complete.expect_kept(&jobs, &users.cx.contract().vocabulary.complete)?;
            }
            // A sampling interval.
            tokio::time::sleep(INTERVAL).await;
        }
        Ok(())
    }

    fn add(&self, jobs: &[JobRow]) {
        let mut statuses = BTreeMap::new();
        for job in jobs {
            *statuses.entry(job.status.clone()).or_default() += 1;
        }
        let sample = Sample {
            at_ms: self.history.now_ms(),
            statuses,
            retries: jobs.iter().filter_map(|job| job.retry_count).sum(),
        };
        let mut samples = self.samples.borrow_mut();
        let is_new = samples.last().is_none_or(|last| {
            (&last.statuses, last.retries) != (&sample.statuses, sample.retries)
        });
        if is_new {
            samples.push(sample);
        }
    }

    /// Records the timeline with the window of the fault.
    pub(super) fn record(&self, cx: &Context, link: LinkName) -> CheckResult {
        let history = self.history.read()?;
        let at = |event: &Happened| {
            let mut entries = history.iter();
            let found = entries.find(|entry: &&Entry| entry.event == *event);
            found.map(|entry| entry.at_ms)
        };
        let value = json!({
            "link": link.as_str(),
            "injected_ms": at(&Happened::Injected),
            "healed_ms": at(&Happened::Healed),
            "ended_ms": self.history.now_ms(),
            "samples": *self.samples.borrow(),
        });
        cx.observe(Observation::TIMELINE, "the statuses of the jobs", value);
        Ok(())
    }
}

/// The jobs that have been seen complete.
#[derive(Default)]
struct Complete(Vec<Uuid>);

impl Complete {
    /// No job that was complete has another status now.
    fn expect_kept(&mut self, jobs: &[JobRow], complete: &str) -> CheckResult {
        for job in jobs {
            let is_complete = job.status == complete;
            let was_complete = self.0.contains(&job.job_id);
            ensure!(
                is_complete || !was_complete,
                "a job that was complete is '{}' again because of a fault",
                job.status
            );
            if is_complete && !was_complete {
                self.0.push(job.job_id);
            }
        }
        Ok(())
    }
}
