//! Retries: a job that waits for its retry is active, and a long document gets a longer deadline.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Contract, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour};
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_long_document_is_given_more_time)
            .only_where([Condition::PARSE_DEADLINE, Condition::SHORT_PARSE_DEADLINE])
            .requires([Http, Database, Standins])
            .reads(read::NOTHING)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(9))
            .occupies(Resource::Worker)
            .severity(High),
        check!(a_job_waiting_for_its_retry_is_active)
            .only_where([Condition::RETRY_OF_WAITING_JOBS])
            .requires([Http, Database, Standins])
            .calls([Endpoint::Retry])
            .reads(read::NOTHING)
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// Much longer than the check takes.
const PAUSE_S: u32 = 90;

/// Uploads a document that an overloaded parser rejects, and waits until its job waits for the retry.
async fn upload_to_busy_parser(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
) -> CheckResult<Accepted> {
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 429,
            marker: String::new(),
            retry_after_s: Some(PAUSE_S),
        },
        ..ParserBehaviour::default()
    };
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .await?;
    let accepted = pipeline.upload(document).await?;
    let vocabulary = &cx.contract().vocabulary;
    let quotes_status = cx.contract().responses.cause.has_status();
    let waits = |job: &JobView| {
        let state = job.state.as_deref().unwrap_or_default();
        let is_of = |states: &[String]| states.iter().any(|known| known == state);
        let cause = job.last_error.as_ref().map(ToString::to_string);
        is_of(&vocabulary.retryable_states)
            && !is_of(&vocabulary.final_states)
            && (!quotes_status || cause.is_some_and(|cause| cause.contains("429")))
    };
    let within = cx.contract().timing.complete_within;
    pipeline
        .until(&accepted, "the job waits for its retry", within, waits)
        .await?;
    script.withdraw().await?;
    Ok(accepted)
}

/// A job that waits for its retry counts as active, blocks duplicates, and continues on request.
async fn a_job_waiting_for_its_retry_is_active(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let documents: Vec<_> = (0..cx.contract().limits.concurrent_jobs)
        .map(|_| cx.document().build())
        .collect();
    let mut waiting = Vec::new();
    for document in &documents {
        waiting.push(upload_to_busy_parser(cx, &pipeline, document).await?);
    }
    for document in &documents {
        let again = pipeline.register(document.upload()).await?;
        expect_error_body(
            &again.expect_status(&cx.contract().statuses.duplicate)?,
            cx.contract(),
        )?;
    }
    let more = cx.document().build();
    let more = pipeline.register(more.upload()).await?;
    expect_error_body(
        &more.expect_status(&cx.contract().statuses.too_many)?,
        cx.contract(),
    )?;
    for accepted in &waiting {
        let answer = pipeline
            .retry(accepted.job_id)
            .await?
            .expect_status(&cx.contract().statuses.retried)?;
        expect_retry_response(cx.contract(), accepted, &answer.json()?)?;
        pipeline.until_complete(accepted).await?;
    }
    Ok(())
}

/// The response to a retry names the job and its new state.
fn expect_retry_response(contract: &Contract, accepted: &Accepted, answer: &Value) -> CheckResult {
    let fields = &contract.fields.retry;
    let expected_fields = [
        (&fields.job_id, accepted.job_id.to_string()),
        (&fields.new_state, contract.vocabulary.retried_state.clone()),
    ];
    for (pointer, expected) in expected_fields
        .iter()
        .filter(|(pointer, _)| pointer.is_given())
    {
        let value = value_at(pointer, answer, "the response to a retry")?;
        ensure_eq!(
            value,
            expected,
            "the response to a retry has a wrong {}",
            pointer.as_str()
        );
    }
    Ok(())
}

/// A document with more pages than one deadline covers is not submitted again before the second has passed.
async fn a_long_document_is_given_more_time(cx: &Context) -> CheckResult {
    let timing = &cx.contract().timing;
    let expected = (timing.parse_deadline * 2).min(timing.parse_deadline_cap);
    // The deadline starts before the parser receives the document, so on a busy machine it appears shorter.
    let least = expected.mul_f64(0.75);
    let mut deadlines = Vec::new();
    for _ in 0..TRIES {
        deadlines.push(time_until_resubmission(cx).await?);
        if deadlines.iter().any(|deadlines| *deadlines >= least) {
            return Ok(());
        }
    }
    let summary =
        "a document with more pages than one deadline covers is submitted again too early";
    Err(Stop::violated(Finding::new(summary).comparing(
        format!("after {expected:?}"),
        format!("after {deadlines:.1?}"),
    )))
}

/// Attempts: on a busy machine a submission may be lost and repeated earlier.
const TRIES: usize = 2;

/// The time between the first and second submission of a long document to a silent parser.
async fn time_until_resubmission(cx: &Context) -> CheckResult<time::Duration> {
    let pages = cx.contract().timing.parse_pages as usize + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    let standins = cx.standins()?;
    let silence = ParserBehaviour::silent();
    let script = standins.script_parser(document.sha256(), silence);
    let script = script.times(1).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    pipeline.until_complete(&accepted).await?;
    script.withdraw().await?;
    let calls = standins.parser_calls(document.sha256()).await?;
    match &calls[..] {
        [first, second, ..] => Ok(second.at - first.at),
        _ => Err(anyhow::anyhow!("the parser was called {} times", calls.len()).into()),
    }
}
