//! Job status: job, list and document show the current status, and each user sees only their own.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, JobView};
use cutover_harness::prelude::*;
use serde_json::json;

use cutover_suite_support::json::{list_at, value_at};
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_jobs_status_only_moves_forward)
            .requires([Http, Database])
            .reads([read::document::PROCESSING_STATUS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(the_job_list_is_the_callers_own)
            .requires([Http])
            .calls([Endpoint::Jobs])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(the_list_shows_jobs_as_they_are)
            .requires([Http])
            .calls([Endpoint::Jobs])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_document_describes_itself)
            .requires([Http, Database])
            .calls([Endpoint::Document])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(an_invalid_list_query_is_refused, INVALID_QUERIES)
            .requires([Http])
            .calls([Endpoint::Jobs])
            .effect(Effect::Read)
            .severity(High),
    ]
}

/// The status of a job only moves forward until it is complete, and the row of the document has the same
/// status.
async fn a_jobs_status_only_moves_forward(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline
        .upload(&cx.document().paragraphs(8).build())
        .await?;
    let vocabulary = &cx.contract().vocabulary;
    let mut last: Option<JobView> = None;
    cx.eventually(
        "the job reaches a final status",
        cx.contract().timing.complete_within,
        async || {
            let job = pipeline.view(&accepted).await?;
            expect_progress(last.as_ref(), &job, cx.contract())?;
            let is_final = vocabulary.is_final(&job.status, job.state.as_deref());
            last = Some(job);
            Ok(is_final.then_some(()))
        },
    )
    .await?;
    let Some(job) = last else { return Ok(()) };
    ensure_eq!(
        job.status,
        vocabulary.complete,
        "the job did not complete: {}",
        job.summary()
    );
    let percent = job.total_percent.unwrap_or(100.0);
    ensure!(percent >= 100.0, "a complete job has {percent} percent");
    ensure!(
        job.last_error.is_none(),
        "a complete job has an error: {}",
        job.summary()
    );
    let row = cx.database()?.document(accepted.document_id).await?;
    let status = row.and_then(|row| row.processing_status);
    ensure_eq!(
        status,
        Some(vocabulary.complete_document().to_owned()),
        "the row of a complete document has another status"
    );
    Ok(())
}

/// The status and percentage of a job do not go back.
fn expect_progress(before: Option<&JobView>, now: &JobView, contract: &Contract) -> CheckResult {
    let vocabulary = &contract.vocabulary;
    if let Some(state) = &now.state {
        ensure!(
            vocabulary.allows(&now.status, state),
            "a job has status '{}' in state '{state}', which is not a valid pair",
            now.status,
        );
    }
    let Some(before) = before else { return Ok(()) };
    let rank = |job: &JobView| vocabulary.rank(&job.status);
    ensure!(
        rank(now) >= rank(before),
        "a job went back from status '{}' to '{}'",
        before.status,
        now.status
    );
    ensure!(
        now.total_percent >= before.total_percent,
        "a job went back from {:?} to {:?} percent",
        before.total_percent,
        now.total_percent,
    );
    Ok(())
}

/// The list contains the caller's own jobs, newest first, in pages, and filtered on request.
async fn the_job_list_is_the_callers_own(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let stranger = cx.pipeline()?;
    let others = stranger.complete(&cx.document().build()).await?;
    let first = pipeline.complete(&cx.document().build()).await?;
    let second = pipeline.complete(&cx.document().build()).await?;
    let newest_first = vec![second.job_id().to_string(), first.job_id().to_string()];
    ensure_eq!(
        listed(cx, &pipeline, &[]).await?,
        newest_first,
        "the list is not exactly the caller's jobs, newest first"
    );
    let names = &cx.contract().requests.jobs;
    let pages = [("0", &newest_first[..1]), ("1", &newest_first[1..])];
    for (offset, page) in pages.into_iter().filter(|_| names.has_pages()) {
        let query = [(names.limit.as_str(), "1"), (&names.offset, offset)];
        let found = listed(cx, &pipeline, &query).await?;
        ensure_eq!(found, page, "the page at offset {offset} has other jobs");
    }
    // A target whose jobs have no queue state has nothing to filter by.
    let filter = names.name_of("state");
    if let Some(filter) = filter.filter(|_| cx.contract().fields.job.state.is_given()) {
        filtered_by_state(cx, &pipeline, filter, &newest_first).await?;
    }
    if cx.contract().has(Endpoint::Job) {
        let foreign = &cx.contract().statuses.foreign;
        pipeline
            .job(others.job_id())
            .await?
            .expect_status(foreign)?;
    }
    Ok(())
}

/// The filter by a state returns the jobs of that state; all jobs of this user are done.
async fn filtered_by_state(
    cx: &Context,
    pipeline: &Pipeline,
    name: &str,
    all: &[String],
) -> CheckResult {
    let complete = &cx.contract().vocabulary.legal.complete;
    let mut done = Vec::new();
    for state in complete {
        done.extend(listed(cx, pipeline, &[(name, state.as_str())]).await?);
    }
    let mut all = all.to_vec();
    if complete.len() > 1 {
        // Lists by different states have no common order.
        done.sort();
        all.sort();
    }
    ensure_eq!(
        done,
        all,
        "the filter for the state of complete jobs does not return all of them"
    );
    for state in &cx.contract().vocabulary.states {
        let filter = [(name, state.as_str())];
        let listed = listed(cx, pipeline, &filter).await?;
        ensure!(
            listed.is_empty() || complete.contains(state),
            "the filter for state {state} returns finished jobs"
        );
        let total = &cx.contract().fields.jobs.total;
        if total.is_given() {
            let answer = pipeline.jobs(&filter).await?.expect_status(200)?.json()?;
            ensure_eq!(
                value_at(total, &answer, "the list of jobs")?,
                &json!(listed.len()),
                "the filter for state {state} has a wrong total"
            );
        }
    }
    Ok(())
}

async fn listed(
    cx: &Context,
    pipeline: &Pipeline,
    query: &[(&str, &str)],
) -> CheckResult<Vec<String>> {
    let fields = &cx.contract().fields;
    let answer = pipeline.jobs(query).await?.expect_status(200)?.json()?;
    let jobs = list_at(&fields.jobs.jobs, &answer, "the list of jobs")?;
    let id = |job| {
        Ok(value_at(&fields.job.job_id, job, "a job of the list")?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    };
    jobs.iter().map(id).collect()
}

/// An invalid query of the job list.
pub(super) struct InvalidQuery {
    name: &'static str,
    query: (&'static str, &'static str),
}

impl Named for InvalidQuery {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let (key, _) = self.query;
        if key == "state" && !contract.fields.job.state.is_given() {
            return Some("the contract declares no field for the state of a job".to_owned());
        }
        let has = contract.requests.jobs.name_of(key).is_some();
        (!has).then(|| {
            format!("the list of jobs has no parameter for it (contract.requests.jobs.{key} is \"none\")")
        })
    }
}

/// Invalid queries of the job list.
const INVALID_QUERIES: &[InvalidQuery] = &[
    InvalidQuery {
        name: "negative_offset",
        query: ("offset", "-1"),
    },
    InvalidQuery {
        name: "negative_limit",
        query: ("limit", "-1"),
    },
    InvalidQuery {
        name: "zero_limit",
        query: ("limit", "0"),
    },
    InvalidQuery {
        name: "a_word_for_a_limit",
        query: ("limit", "many"),
    },
    InvalidQuery {
        name: "a_fractional_offset",
        query: ("offset", "1.5"),
    },
    InvalidQuery {
        name: "a_huge_offset",
        query: ("offset", "99999999999999999999"),
    },
    InvalidQuery {
        name: "unknown_state",
        query: ("state", "finished"),
    },
];

/// An invalid query is refused.
async fn an_invalid_list_query_is_refused(cx: &Context, case: &InvalidQuery) -> CheckResult {
    let (key, value) = case.query;
    let name = cx.contract().requests.jobs.name_of(key).unwrap_or(key);
    let reply = cx
        .pipeline()?
        .jobs(&[(name, value)])
        .await?
        .expect_status(&cx.contract().statuses.invalid)?;
    expect_error_body(&reply, cx.contract())
}

/// The list is ordered by upload, and shows each job with its current status.
async fn the_list_shows_jobs_as_they_are(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let document = cx.document().build();
    let older = pipeline.accept(document.upload()).await?;
    let newer = pipeline.accept(cx.document().build().upload()).await?;
    pipeline.put(&older.signed_url, document.bytes()).await?;
    let done = pipeline.until_complete(&older).await?;
    let expected = [newer.job_id, older.job_id].map(|id| id.to_string());
    ensure_eq!(
        listed(cx, &pipeline, &[]).await?,
        expected,
        "the list is not in the order of the uploads, newest first"
    );
    let answer = pipeline.jobs(&[]).await?.expect_status(200)?.json()?;
    let jobs = list_at(&cx.contract().fields.jobs.jobs, &answer, "the list of jobs")?;
    let what = "a job of the list";
    for job in jobs {
        let job = JobView::from_json(what, job, cx.contract())?;
        if job.job_id == Some(older.job_id) {
            ensure_eq!(
                (&job.status, &job.state),
                (&done.status, &done.state),
                "the list shows another status than the job itself"
            );
        }
    }
    Ok(())
}

/// A complete document reports its name, size, hash, status and number of chunks.
async fn a_document_describes_itself(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let pipeline = cx.pipeline()?;
    let id = pipeline.complete(&document).await?.document_id();
    let chunks = cx.database()?.chunks_of(id).await?.len();
    let shown = pipeline.document(id).await?.expect_status(200)?.json()?;
    let fields = &cx.contract().fields.document;
    let properties = [
        (&fields.document_id, json!(id)),
        (
            &fields.status,
            json!(cx.contract().vocabulary.complete_document()),
        ),
        (&fields.filename, json!(document.upload().filename)),
        (&fields.bytes_len, json!(document.bytes().len())),
        (&fields.sha256, json!(document.sha256())),
        (&fields.chunk_count, json!(chunks)),
    ];
    for (pointer, expected) in properties.iter().filter(|(pointer, _)| pointer.is_given()) {
        let value = value_at(pointer, &shown, "a document")?;
        ensure_eq!(
            value,
            expected,
            "a document has a wrong {}",
            pointer.as_str()
        );
    }
    Ok(())
}
