//! Job routes: a job is complete for its owner, unknown to other users, listed in pages, and retried on request.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract, Derivation, Endpoint, JobView, PageLimit};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
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
            .calls([Endpoint::Job])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(another_users_id_looks_unknown, ID_ENDPOINTS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_malformed_id_is_refused, ID_ENDPOINTS)
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
        check!(the_pages_of_a_list_add_up)
            .only_where([Condition::PAGED_LIST])
            .requires([Http])
            .calls([Endpoint::Jobs])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_failed_job_is_tried_again_on_request)
            .requires([Http, Database, Standins])
            .calls([Endpoint::Retry])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(simultaneous_retries_start_one_attempt)
            .requires([Http, Standins])
            .calls([Endpoint::Retry])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(only_a_failed_job_is_tried_again)
            .requires([Http, Database])
            .calls([Endpoint::Retry])
            .reads([
                read::JOBS,
                read::job::STATE.if_given(),
                read::job::RETRY_COUNT.if_given(),
                read::job::UPDATED_AT.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A job has all promised fields, in the promised format.
async fn a_job_is_shown_whole(cx: &Context) -> CheckResult {
    let contract = cx.contract();
    let done = cx.pipeline()?.complete(&cx.document().build()).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let answer = pipeline.show(&accepted).await?.expect_status(200)?;
    let answer = answer.json()?;
    let fields = &contract.fields.job;
    let what = "a job without its bytes";
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
        let may_be_null = contract.vocabulary.unset_status && *pointer == fields.status;
        ensure!(
            may_be_null || !value.is_null(),
            "{} of {what} is null",
            pointer.as_str()
        );
    }
    if fields.last_error.is_given() {
        let error = value_at(&fields.last_error, &answer, what)?;
        ensure!(error.is_null(), "{what} has an error: {error}");
    }
    let job = JobView::from_json(what, &answer, contract)?;
    ensure_eq!(
        (
            job.job_id.unwrap_or(accepted.job_id),
            job.document_id.unwrap_or(accepted.document_id)
        ),
        (accepted.job_id, accepted.document_id),
        "the response shows another job than the requested one"
    );
    for job in [&job, &done.job] {
        expect_valid_fields(contract, job)?;
    }
    Ok(())
}

/// Percentages lie between 0 and 100, and timestamps have the agreed format.
fn expect_valid_fields(contract: &Contract, job: &JobView) -> CheckResult {
    for percent in [job.stage_percent, job.total_percent].into_iter().flatten() {
        ensure!(
            (0.0..=100.0).contains(&percent),
            "a job has {percent} percent"
        );
    }
    if let Some(time) = &job.updated_at {
        contract.time("updated_at of a job", time)?;
    }
    Ok(())
}

/// An endpoint that takes an id.
pub(super) struct IdEndpoint {
    name: &'static str,
    endpoint: Endpoint,
}

impl Named for IdEndpoint {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        vec![self.endpoint]
    }
}

/// All endpoints that take the id of a user's job or document.
const ID_ENDPOINTS: &[IdEndpoint] = &[
    IdEndpoint {
        name: "job",
        endpoint: Endpoint::Job,
    },
    IdEndpoint {
        name: "retry",
        endpoint: Endpoint::Retry,
    },
    IdEndpoint {
        name: "document",
        endpoint: Endpoint::Document,
    },
    IdEndpoint {
        name: "delete",
        endpoint: Endpoint::DeleteDocument,
    },
];

/// An id of another user gets exactly the same response as an unknown id.
async fn another_users_id_looks_unknown(cx: &Context, case: &IdEndpoint) -> CheckResult {
    let owner = cx.pipeline()?;
    let accepted = owner.accept(cx.document().build().upload()).await?;
    if case.endpoint == Endpoint::Retry {
        // Only a failed job can be retried, so its retry would succeed if the owner asked.
        let other = cx.document().build();
        owner.put(&accepted.signed_url, other.bytes()).await?;
        owner.until_final(&accepted).await?;
    }
    let route = cx.contract().route(case.endpoint);
    let is_document = route.is_some_and(|route| route.path.contains("{document_id}"));
    let others = if is_document {
        accepted.document_id
    } else {
        accepted.job_id
    };
    let unknown = if is_document && cx.contract().ids.document != Derivation::Random {
        // The ids of documents are version 5.
        uuid::Builder::from_sha1_bytes(cx.random()).into_uuid()
    } else {
        uuid::Builder::from_random_bytes(cx.random()).into_uuid()
    };
    let stranger = cx.pipeline()?;
    let mut answers = Vec::new();
    for id in [others, unknown] {
        let request = stranger.request(case.endpoint, id)?;
        let reply = stranger.ask(case.endpoint, request).await?;
        // The deletion of an unknown document may succeed.
        if !(case.endpoint == Endpoint::DeleteDocument && reply.is_success()) {
            let statuses = &cx.contract().statuses;
            let expected = if id == others {
                &statuses.foreign
            } else {
                &statuses.unknown
            };
            let reply = reply.clone().expect_status(expected)?;
            expect_error_body(&reply, cx.contract())?;
        }
        answers.push(without_ids(&reply, &[others, unknown]));
    }
    ensure!(
        answers[0] == answers[1] || !cx.contract().statuses.hides_foreign_ids(),
        "the response to an id of another user differs from the response to an unknown id: {:?} and {:?}",
        answers[0],
        answers[1]
    );
    owner.view(&accepted).await?;
    Ok(())
}

/// A response without the ids of the request.
fn without_ids(reply: &Response, ids: &[Uuid]) -> (u16, String) {
    let text = reply.text().replace(&reply.correlation_id, "");
    let text = ids
        .iter()
        .fold(text, |text, id| text.replace(&id.to_string(), ""));
    (reply.status, text)
}

/// Malformed ids.
const MALFORMED_IDS: [&str; 6] = [
    "1",
    "malformed",
    "601684e6-b1cd-5438-a22f-907eea07a89g",
    "601684e6-b1cd-5438-a22f-907eea07a897-0",
    "' OR 1=1 --",
    "é\u{0}",
];

/// A malformed id is refused.
async fn a_malformed_id_is_refused(cx: &Context, case: &IdEndpoint) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let long = "a".repeat(2_000);
    for id in MALFORMED_IDS.into_iter().chain([long.as_str()]) {
        let request = pipeline.request(case.endpoint, id)?;
        let reply = pipeline.ask(case.endpoint, request).await?;
        expect_error_body(
            &reply.expect_status(&cx.contract().statuses.malformed_id)?,
            cx.contract(),
        )?;
    }
    Ok(())
}

/// The number of jobs in the list.
const JOBS: u32 = 3;

/// The distance of an offset beyond the end of the list.
const BEYOND: u32 = 7;

/// The pages of the list contain every job once, newest first, with the total count.
async fn the_pages_of_a_list_add_up(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let at_once = cx.contract().limits.concurrent_jobs.max(1) as usize;
    let mut newest_first: Vec<Accepted> = Vec::new();
    for _ in 0..JOBS {
        // Few jobs of a user may be active at once; the list contains all of them, whatever their status.
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
            let first = page.len().min(1);
            seen.extend(page.into_iter().take(first));
        }
        ensure_eq!(
            seen,
            newest_first,
            "the pages of {limit} jobs do not contain one job after the other, newest first"
        );
    }
    page(cx, &pipeline, limits.page_default, JOBS + BEYOND).await?;
    let too_many = (limits.page_max + 1).to_string();
    let limit = cx.contract().requests.jobs.limit.as_str();
    let reply = pipeline.jobs(&[(limit, &too_many)]).await?;
    let statuses = &cx.contract().statuses;
    match statuses.page_limit {
        PageLimit::Refused => {
            let refusal = reply.expect_status(&statuses.page_too_large)?;
            expect_error_body(&refusal, cx.contract())?;
        }
        PageLimit::Capped => {
            let page = reply.expect_status(200)?.json()?;
            expect_page_metadata(cx, &page, limits.page_max, 0)?;
        }
    }
    let page = pipeline.jobs(&[]).await?.expect_status(200)?.json()?;
    expect_page_metadata(cx, &page, limits.page_default, 0)
}

/// The jobs of a page, after a check of its metadata.
async fn page(
    cx: &Context,
    pipeline: &Pipeline,
    limit: u32,
    offset: u32,
) -> CheckResult<Vec<String>> {
    let names = &cx.contract().requests.jobs;
    let query = [
        (names.limit.as_str(), limit.to_string()),
        (names.offset.as_str(), offset.to_string()),
    ];
    let query = query
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let answer = pipeline.jobs(&query).await?.expect_status(200)?.json()?;
    expect_page_metadata(cx, &answer, limit, offset)?;
    let fields = &cx.contract().fields;
    let jobs = list_at(&fields.jobs.jobs, &answer, "a page of jobs")?;
    let expected = JOBS.saturating_sub(offset).min(limit) as usize;
    ensure_eq!(
        jobs.len(),
        expected,
        "the page of {limit} jobs at offset {offset} has the wrong length"
    );
    jobs.iter()
        .map(|job| {
            let id = value_at(&fields.job.job_id, job, "a job of the list")?;
            Ok(id.as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

fn expect_page_metadata(cx: &Context, answer: &Value, limit: u32, offset: u32) -> CheckResult {
    let fields = &cx.contract().fields.jobs;
    let metadata = [
        (&fields.limit, Value::from(limit)),
        (&fields.offset, offset.into()),
        (&fields.total, JOBS.into()),
        (&fields.has_more, (offset + limit < JOBS).into()),
    ];
    for (pointer, expected) in metadata.iter().filter(|(pointer, _)| pointer.is_given()) {
        let value = value_at(pointer, answer, "a page of jobs")?;
        ensure_eq!(
            value,
            expected,
            "the page of {limit} jobs at offset {offset} of {JOBS} has a wrong {}",
            pointer.as_str()
        );
    }
    Ok(())
}

/// Uploads a document whose job the parser fails permanently; a retry would succeed.
async fn upload_failing(cx: &Context, document: &Document) -> CheckResult<(Pipeline, Accepted)> {
    let refusal = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "rejected by the check".to_owned(),
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
        "a job whose document the parser rejects does not fail: {}",
        failed.summary()
    );
    script.withdraw().await?;
    Ok((pipeline, accepted))
}

/// The number of simultaneous requests of a user.
const AT_ONCE: usize = 6;

/// Of several simultaneous retries exactly one succeeds, because it ends the failed state.
async fn simultaneous_retries_start_one_attempt(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let (pipeline, accepted) = upload_failing(cx, &document).await?;
    let replies = try_join_all((0..AT_ONCE).map(|_| pipeline.retry(accepted.job_id))).await?;
    let refusal = &cx.contract().statuses.not_retryable;
    expect_one_success(&replies, "simultaneous retries", refusal)?;
    pipeline.until_complete(&accepted).await?;
    Ok(())
}

/// A permanently failed job is retried on request, and completes.
async fn a_failed_job_is_tried_again_on_request(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let vocabulary = &cx.contract().vocabulary;
    let (pipeline, accepted) = upload_failing(cx, &document).await?;
    pipeline
        .retry(accepted.job_id)
        .await?
        .expect_status(&cx.contract().statuses.retried)?;
    let job = pipeline.until_complete(&accepted).await?;
    ensure_eq!(
        job.status,
        vocabulary.complete,
        "a retried job did not complete"
    );
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks
            .iter()
            .any(|chunk| chunk.text.contains(document.nonce())),
        "a retried job completed without the text of its document"
    );
    Ok(())
}

/// A retry of a job that has not failed is refused and changes nothing.
async fn only_a_failed_job_is_tried_again(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&cx.document().build()).await?;
    let waiting = pipeline.accept(cx.document().build().upload()).await?;
    let database = cx.database()?;
    let before = database.job(done.job_id()).await?;
    for job in [done.job_id(), waiting.job_id] {
        let reply = pipeline
            .retry(job)
            .await?
            .expect_status(&cx.contract().statuses.not_retryable)?;
        expect_error_body(&reply, cx.contract())?;
    }
    let after = database.job(done.job_id()).await?;
    ensure_eq!(after, before, "a refused retry changed a complete job");
    Ok(())
}
