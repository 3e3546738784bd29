//! What a user is told about jobs: the truth, and about the user's own alone.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, JobView};
use cutover_harness::prelude::*;

use crate::reading::{at, is_a_described_error, list_at};

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(a_job_shows_its_way_to_the_end)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
        check!(the_job_list_is_the_callers_own)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_nonsensical_list_is_refused, BAD_LISTS)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// A job's status only goes forward until it is complete and done, and the
/// document's own status says the same.
async fn a_job_shows_its_way_to_the_end(cx: &Context) -> CheckResult {
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
    let dead = listed(cx, &pipeline, &[("state", "deadletter")]).await?;
    ensure!(
        dead.is_empty(),
        "the filter for dead letters gives jobs that are done"
    );
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
        Ok(at(&fields.job.job_id, job, "a job of the list")?
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
        name: "no_limit",
        query: ("limit", "0"),
    },
    BadList {
        name: "unknown_state",
        query: ("state", "finished"),
    },
];

/// Nonsense is the caller's mistake, not the server's.
async fn a_nonsensical_list_is_refused(cx: &Context, case: &BadList) -> CheckResult {
    let reply = cx
        .pipeline()?
        .jobs(&[case.query])
        .await?
        .expect_status(422)?;
    is_a_described_error(&reply, cx.contract())
}
