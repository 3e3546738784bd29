//! Jobs by their ids: shown whole to their owner, unknown to everybody else, tried again when they failed.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract, Derivation, Endpoint, JobView};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour};
use futures::future::try_join_all;
use serde_json::Value;

use cutover_suite_support::json::{list_at, value_at};
use cutover_suite_support::responses::{expect_error_body, expect_one_success};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_job_is_shown_whole)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(another_users_id_looks_unknown, THINGS)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_malformed_id_is_refused, THINGS)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(the_pages_of_a_list_add_up)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(a_failed_job_is_tried_again_on_request)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(simultaneous_retries_start_one_attempt)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(only_a_failed_job_is_tried_again)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// A job says everything that was promised of it, in the form that was promised.
async fn a_job_is_shown_whole(cx: &Context) -> CheckResult {
    let contract = cx.contract();
    let done = cx.pipeline()?.complete(&cx.document().build()).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let answer = pipeline.show(&accepted).await?.expect_status(200)?;
    let answer = answer.json()?;
    let fields = &contract.fields.job;
    let what = "a job that waits for its bytes";
    let promised = [
        &fields.job_id,
        &fields.document_id,
        &fields.status,
        &fields.state,
        &fields.retry_count,
        &fields.stage_percent,
        &fields.total_percent,
        &fields.cost_cents,
        &fields.updated_at,
    ];
    for pointer in promised.into_iter().filter(|field| field.is_given()) {
        let value = value_at(pointer, &answer, what)?;
        ensure!(!value.is_null(), "{} of {what} is null", pointer.as_str());
    }
    if fields.last_error.is_given() {
        let error = value_at(&fields.last_error, &answer, what)?;
        ensure!(error.is_null(), "{what} shows an error: {error}");
    }
    let job = JobView::of(what, &answer, contract)?;
    ensure_eq!(
        (
            job.job_id.unwrap_or(accepted.job_id),
            job.document_id.unwrap_or(accepted.document_id)
        ),
        (accepted.job_id, accepted.document_id),
        "the job that is shown is not the one that was asked for"
    );
    for job in [&job, &done.job] {
        is_plausible(contract, job)?;
    }
    Ok(())
}

/// Percents are percents, and a time is written as times are.
fn is_plausible(contract: &Contract, job: &JobView) -> CheckResult {
    for percent in [job.stage_percent, job.total_percent].into_iter().flatten() {
        ensure!(
            (0.0..=100.0).contains(&percent),
            "a job is at {percent} percent"
        );
    }
    if let Some(time) = &job.updated_at {
        contract.time("the time at which a job changed", time)?;
    }
    Ok(())
}

/// An endpoint about one thing.
pub(super) struct Thing {
    name: &'static str,
    endpoint: Endpoint,
}

impl Named for Thing {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every endpoint about one thing of a user.
const THINGS: &[Thing] = &[
    Thing {
        name: "job",
        endpoint: Endpoint::Job,
    },
    Thing {
        name: "retry",
        endpoint: Endpoint::Retry,
    },
    Thing {
        name: "document",
        endpoint: Endpoint::Document,
    },
    Thing {
        name: "delete",
        endpoint: Endpoint::DeleteDocument,
    },
];

/// Somebody else's thing is answered as one that never was, to the letter.
async fn another_users_id_looks_unknown(cx: &Context, case: &Thing) -> CheckResult {
    let owner = cx.pipeline()?;
    let accepted = owner.accept(cx.document().build().upload()).await?;
    if case.endpoint == Endpoint::Retry {
        // Only a job that failed could be tried again, if it were the stranger's.
        let other = cx.document().build();
        owner.put(&accepted.signed_url, other.bytes()).await?;
        owner.until_final(&accepted).await?;
    }
    let route = cx.contract().route(case.endpoint);
    let is_document = route.is_some_and(|route| route.path.contains("{document_id}"));
    let foreign = if is_document {
        accepted.document_id
    } else {
        accepted.job_id
    };
    let unknown = if is_document && cx.contract().ids.document != Derivation::Random {
        // What the id of a document looks like.
        uuid::Builder::from_sha1_bytes(cx.random()).into_uuid()
    } else {
        uuid::Builder::from_random_bytes(cx.random()).into_uuid()
    };
    let stranger = cx.pipeline()?;
    let mut answers = Vec::new();
    for id in [foreign, unknown] {
        let request = stranger.request(case.endpoint, id)?;
        let reply = stranger.ask(case.endpoint, request).await?;
        // Removing what is not there has nothing to say.
        if !(case.endpoint == Endpoint::DeleteDocument && reply.is_success()) {
            let reply = reply.clone().expect_status(404)?;
            expect_error_body(&reply, cx.contract())?;
        }
        answers.push(anonymous(&reply, &[foreign, unknown]));
    }
    ensure_eq!(
        answers[0],
        answers[1],
        "what belongs to somebody else is answered in another way than what nobody has"
    );
    owner.show(&accepted).await?.expect_status(200)?;
    Ok(())
}

/// An answer without what differs from one request to the next.
fn anonymous(reply: &Reply, ids: &[Uuid]) -> (u16, String) {
    let text = reply.text().replace(&reply.correlation_id, "");
    let text = ids
        .iter()
        .fold(text, |text, id| text.replace(&id.to_string(), ""));
    (reply.status, text)
}

/// Texts that are no ids.
const NO_IDS: [&str; 6] = [
    "1",
    "malformed",
    "601684e6-b1cd-5438-a22f-907eea07a89g",
    "601684e6-b1cd-5438-a22f-907eea07a897-0",
    "' OR 1=1 --",
    "é\u{0}",
];

/// An id that is none is the caller's mistake, not the server's.
async fn a_malformed_id_is_refused(cx: &Context, case: &Thing) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let long = "a".repeat(2_000);
    for id in NO_IDS.into_iter().chain([long.as_str()]) {
        let request = pipeline.request(case.endpoint, id)?;
        let reply = pipeline.ask(case.endpoint, request).await?;
        expect_error_body(&reply.expect_status(422)?, cx.contract())?;
    }
    Ok(())
}

/// How many jobs the list is read with.
const JOBS: u32 = 3;

/// How far beyond its end a list is read.
const BEYOND: u32 = 7;

/// Page by page a list holds every job once, newest first, and tells how many there are.
async fn the_pages_of_a_list_add_up(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let at_once = cx.contract().limits.concurrent_jobs.max(1) as usize;
    let mut newest_first: Vec<Accepted> = Vec::new();
    for _ in 0..JOBS {
        // A user may have only so many jobs at once; the list does not care how far they are.
        if let Some(oldest) = newest_first.get(at_once - 1) {
            pipeline.until_complete(oldest).await?;
        }
        let accepted = pipeline.upload(&cx.document().build()).await?;
        newest_first.insert(0, accepted);
    }
    let newest_first: Vec<_> = newest_first
        .iter()
        .map(|accepted| accepted.job_id.to_string())
        .collect();
    let limits = &cx.contract().limits;
    for limit in [1, 2, JOBS, limits.page_default, limits.page_max] {
        let mut seen = Vec::new();
        for offset in 0..=JOBS {
            let page = page(cx, &pipeline, limit, offset).await?;
            let held = page.len().min(1);
            seen.extend(page.into_iter().take(held));
        }
        ensure_eq!(
            seen,
            newest_first,
            "the pages of {limit} do not begin with one job after the other, newest first"
        );
    }
    page(cx, &pipeline, limits.page_default, JOBS + BEYOND).await?;
    let too_many = (limits.page_max + 1).to_string();
    let reply = pipeline.jobs(&[("limit", &too_many)]).await?;
    expect_error_body(&reply.expect_status(422)?, cx.contract())?;
    let said = pipeline.jobs(&[]).await?.expect_status(200)?.json()?;
    said_of_itself(cx, &said, limits.page_default, 0)
}

/// The jobs of a page, after what it says of itself was found to be so.
async fn page(
    cx: &Context,
    pipeline: &Pipeline,
    limit: u32,
    offset: u32,
) -> CheckResult<Vec<String>> {
    let query = [("limit", limit.to_string()), ("offset", offset.to_string())];
    let query = query
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let answer = pipeline.jobs(&query).await?.expect_status(200)?.json()?;
    said_of_itself(cx, &answer, limit, offset)?;
    let fields = &cx.contract().fields;
    let jobs = list_at(&fields.jobs.jobs, &answer, "a page of jobs")?;
    let expected = JOBS.saturating_sub(offset).min(limit) as usize;
    ensure_eq!(
        jobs.len(),
        expected,
        "the page of {limit} at offset {offset} is not full"
    );
    jobs.iter()
        .map(|job| {
            let id = value_at(&fields.job.job_id, job, "a job of the list")?;
            Ok(id.as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

fn said_of_itself(cx: &Context, answer: &Value, limit: u32, offset: u32) -> CheckResult {
    let fields = &cx.contract().fields.jobs;
    let truth = [
        (&fields.limit, Value::from(limit)),
        (&fields.offset, offset.into()),
        (&fields.total, JOBS.into()),
        (&fields.has_more, (offset + limit < JOBS).into()),
    ];
    for (pointer, truth) in truth.iter().filter(|(pointer, _)| pointer.is_given()) {
        let said = value_at(pointer, answer, "a page of jobs")?;
        ensure_eq!(
            said,
            truth,
            "the page of {limit} at offset {offset} of {JOBS} jobs is wrong about its {}",
            pointer.as_str()
        );
    }
    Ok(())
}

/// A document whose job the parser has just failed for good, and would not fail again.
async fn failed(cx: &Context, document: &Document) -> CheckResult<(Pipeline, Accepted)> {
    let refusal = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "unreadable today".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let script = cx
        .standins()?
        .script_parser(document.sha256(), refusal)
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(document).await?;
    let failed = pipeline.until_final(&accepted).await?;
    let vocabulary = &cx.contract().vocabulary;
    ensure!(
        vocabulary.is_failure(&failed.status),
        "a job whose document the parser refuses does not fail: {}",
        failed.summary()
    );
    script.withdraw().await?;
    Ok((pipeline, accepted))
}

/// How often a user asks at the same time.
const AT_ONCE: usize = 6;

/// Of several requests at once to try a job again, one is taken: the job does not wait any more for the others.
async fn simultaneous_retries_start_one_attempt(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let (pipeline, accepted) = failed(cx, &document).await?;
    let replies = try_join_all((0..AT_ONCE).map(|_| pipeline.retry(accepted.job_id))).await?;
    expect_one_success(&replies, "requests at once to try a job again")?;
    pipeline.until_complete(&accepted).await?;
    Ok(())
}

/// A job that failed for good is tried again when its user asks, and completes.
async fn a_failed_job_is_tried_again_on_request(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let vocabulary = &cx.contract().vocabulary;
    let (pipeline, accepted) = failed(cx, &document).await?;
    pipeline.retry(accepted.job_id).await?.expect_status(200)?;
    let job = pipeline.until_complete(&accepted).await?;
    ensure_eq!(
        job.status,
        vocabulary.complete,
        "the job that was tried again did not complete"
    );
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks
            .iter()
            .any(|chunk| chunk.text.contains(document.nonce())),
        "the job that was tried again completed without the text of its document"
    );
    Ok(())
}

/// A job that did not fail is left alone, whoever asks.
async fn only_a_failed_job_is_tried_again(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&cx.document().build()).await?;
    let waiting = pipeline.accept(cx.document().build().upload()).await?;
    let database = cx.database()?;
    let before = database.job(done.job_id()).await?;
    for job in [done.job_id(), waiting.job_id] {
        let reply = pipeline.retry(job).await?.expect_status(409)?;
        expect_error_body(&reply, cx.contract())?;
    }
    let after = database.job(done.job_id()).await?;
    ensure_eq!(
        after,
        before,
        "a job that is complete changed when it was to be tried again"
    );
    Ok(())
}
