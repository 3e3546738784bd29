//! What a user is told about jobs: the truth, and about the user's own alone.

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
            .effect(WriteTenant)
            .severity(Critical),
        check!(the_job_list_is_the_callers_own)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(the_list_shows_jobs_as_they_are)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(a_document_describes_itself)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(an_invalid_list_query_is_refused, BAD_LISTS)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// A job's status only goes forward until it is complete and done, and the
/// document's own status says the same.
async fn a_jobs_status_only_moves_forward(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline
        .upload(&cx.document().paragraphs(8).build())
        .await?;
    let vocabulary = &cx.contract().vocabulary;
    let mut last: Option<JobView> = None;
    cx.eventually(
        "the job reaches a final state",
        cx.contract().timing.complete_within,
        async || {
            let job = pipeline.view(&accepted).await?;
            follows(last.as_ref(), &job, cx.contract())?;
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
    ensure!(percent >= 100.0, "a complete job is at {percent} percent");
    ensure!(
        job.last_error.is_none(),
        "a complete job shows an error: {}",
        job.summary()
    );
    let row = cx.database()?.document(accepted.document_id).await?;
    let status = row.and_then(|row| row.processing_status);
    ensure_eq!(
        status,
        Some(vocabulary.complete.clone()),
        "the row of a complete document says something else"
    );
    Ok(())
}

/// What a job shows follows from what it showed before.
fn follows(before: Option<&JobView>, now: &JobView, contract: &Contract) -> CheckResult {
    let vocabulary = &contract.vocabulary;
    if let Some(state) = &now.state {
        ensure!(
            vocabulary.allows(&now.status, state),
            "a job shows status '{}' in state '{state}', which do not go together",
            now.status,
        );
    }
    let Some(before) = before else { return Ok(()) };
    let rank = |job: &JobView| vocabulary.rank(&job.status);
    ensure!(
        rank(now) >= rank(before),
        "a job went back from '{}' to '{}'",
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

/// A list holds the caller's own jobs, newest first, page by page, and filtered if asked.
async fn the_job_list_is_the_callers_own(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let stranger = cx.pipeline()?;
    let foreign = stranger.complete(&cx.document().build()).await?;
    let first = pipeline.complete(&cx.document().build()).await?;
    let second = pipeline.complete(&cx.document().build()).await?;
    let newest_first = vec![second.job_id().to_string(), first.job_id().to_string()];
    ensure_eq!(
        listed(cx, &pipeline, &[]).await?,
        newest_first,
        "the list is not the caller's jobs, newest first"
    );
    let pages = [("0", &newest_first[..1]), ("1", &newest_first[1..])];
    for (offset, page) in pages {
        let found = listed(cx, &pipeline, &[("limit", "1"), ("offset", offset)]).await?;
        ensure_eq!(found, page, "the page at offset {offset} holds other jobs");
    }
    let done = listed(cx, &pipeline, &[("state", "done")]).await?;
    ensure_eq!(
        done,
        newest_first,
        "the jobs that are done are not those that the filter gives"
    );
    for state in &cx.contract().vocabulary.states {
        let filter = [("state", state.as_str())];
        let listed = listed(cx, &pipeline, &filter).await?;
        ensure!(
            listed.is_empty() || state == "done",
            "the filter for jobs that are {state} gives jobs that are done"
        );
        let total = &cx.contract().fields.jobs.total;
        if total.is_given() {
            let answer = pipeline.jobs(&filter).await?.expect_status(200)?.json()?;
            ensure_eq!(
                value_at(total, &answer, "the list of jobs")?,
                &json!(listed.len()),
                "the filter for jobs that are {state} counts others"
            );
        }
    }
    pipeline.job(foreign.job_id()).await?.expect_status(404)?;
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

/// A query that makes no sense.
pub(super) struct BadList {
    name: &'static str,
    query: (&'static str, &'static str),
}

impl Named for BadList {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Queries that make no sense.
const BAD_LISTS: &[BadList] = &[
    BadList {
        name: "negative_offset",
        query: ("offset", "-1"),
    },
    BadList {
        name: "negative_limit",
        query: ("limit", "-1"),
    },
    BadList {
        name: "zero_limit",
        query: ("limit", "0"),
    },
    BadList {
        name: "a_word_for_a_limit",
        query: ("limit", "many"),
    },
    BadList {
        name: "a_fractional_offset",
        query: ("offset", "1.5"),
    },
    BadList {
        name: "a_huge_offset",
        query: ("offset", "99999999999999999999"),
    },
    BadList {
        name: "unknown_state",
        query: ("state", "finished"),
    },
];

/// Nonsense is the caller's mistake, not the server's.
async fn an_invalid_list_query_is_refused(cx: &Context, case: &BadList) -> CheckResult {
    let reply = cx
        .pipeline()?
        .jobs(&[case.query])
        .await?
        .expect_status(422)?;
    expect_error_body(&reply, cx.contract())
}

/// A job stands in the list where its upload put it, and as it is shown by itself.
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
        let job = JobView::of(what, job, cx.contract())?;
        if job.job_id == Some(older.job_id) {
            ensure_eq!(
                (&job.status, &job.state),
                (&done.status, &done.state),
                "the list shows a job otherwise than it is shown by itself"
            );
        }
    }
    Ok(())
}

/// A document that is complete says what it is, and how many chunks there are of it.
async fn a_document_describes_itself(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let pipeline = cx.pipeline()?;
    let id = pipeline.complete(&document).await?.document_id();
    let chunks = cx.database()?.chunks_of(id).await?.len();
    let shown = pipeline.document(id).await?.expect_status(200)?.json()?;
    let fields = &cx.contract().fields.document;
    let truth = [
        (&fields.document_id, json!(id)),
        (&fields.status, json!(cx.contract().vocabulary.complete)),
        (&fields.filename, json!(document.upload().filename)),
        (&fields.bytes_len, json!(document.bytes().len())),
        (&fields.sha256, json!(document.sha256())),
        (&fields.chunk_count, json!(chunks)),
    ];
    for (pointer, truth) in truth.iter().filter(|(pointer, _)| pointer.is_given()) {
        let said = value_at(pointer, &shown, "a document")?;
        ensure_eq!(
            said,
            truth,
            "a document is wrong about its {}",
            pointer.as_str()
        );
    }
    Ok(())
}
