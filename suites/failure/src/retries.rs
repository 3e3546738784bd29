//! Between two attempts: a job that waits for its retry is alive, and a long document is given its time.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Contract, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, CallbackMoment, ParserAnswer, ParserBehaviour};
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_long_document_is_given_more_time)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .takes(secs(9))
            .severity(High),
        check!(a_job_waiting_for_its_retry_is_active)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// Far longer than the check takes.
const PAUSE_S: u32 = 90;

/// Sends a document that an overloaded parser puts off, and waits until its job waits for the retry.
async fn is_put_off(
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
    let waits = |job: &JobView| {
        let state = job.state.as_deref().unwrap_or_default();
        let is_of = |states: &[String]| states.iter().any(|known| known == state);
        let cause = job.last_error.as_ref().map(ToString::to_string);
        is_of(&vocabulary.retryable_states)
            && !is_of(&vocabulary.final_states)
            && cause.is_some_and(|cause| cause.contains("429"))
    };
    let within = cx.contract().timing.complete_within;
    pipeline
        .until(&accepted, "it waits for its retry", within, waits)
        .await?;
    script.withdraw().await?;
    Ok(accepted)
}

/// A job that waits for its retry counts as active, keeps its document from being sent twice, and goes on when asked to.
async fn a_job_waiting_for_its_retry_is_active(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let documents: Vec<_> = (0..cx.contract().limits.concurrent_jobs)
        .map(|_| cx.document().build())
        .collect();
    let mut waiting = Vec::new();
    for document in &documents {
        waiting.push(is_put_off(cx, &pipeline, document).await?);
    }
    for document in &documents {
        let again = pipeline.register(document.upload()).await?;
        expect_error_body(&again.expect_status(409)?, cx.contract())?;
    }
    let more = cx.document().build();
    let more = pipeline.register(more.upload()).await?;
    expect_error_body(&more.expect_status(429)?, cx.contract())?;
    for accepted in &waiting {
        let answer = pipeline.retry(accepted.job_id).await?.expect_status(200)?;
        says_what_became_of(cx.contract(), accepted, &answer.json()?)?;
        pipeline.until_complete(accepted).await?;
    }
    Ok(())
}

/// The answer to a retry says which job it was, and where that stands now.
fn says_what_became_of(contract: &Contract, accepted: &Accepted, answer: &Value) -> CheckResult {
    let fields = &contract.fields.retry;
    let told = [
        (&fields.job_id, accepted.job_id.to_string()),
        (&fields.new_state, contract.vocabulary.retried_state.clone()),
    ];
    for (pointer, expected) in told.iter().filter(|(pointer, _)| pointer.is_given()) {
        let said = value_at(pointer, answer, "the answer to a retry")?;
        ensure_eq!(
            said,
            expected,
            "the answer to a retry does not say what has become of which job: {}",
            pointer.as_str()
        );
    }
    Ok(())
}

/// A document of more pages than one deadline is for is not sent again before the second has passed.
async fn a_long_document_is_given_more_time(cx: &Context) -> CheckResult {
    let timing = &cx.contract().timing;
    let expected = (timing.parse_deadline * 2).min(timing.parse_deadline_cap);
    if expected > LONGEST_WAIT {
        let reason = format!("a deadline of {expected:?} is too long to wait for");
        return Err(Stop::precondition_missing(reason));
    }
    // A deadline runs from before the parser hears of the document: a busy machine makes it look shorter.
    let least = expected.mul_f64(0.75);
    let mut given = Vec::new();
    for _ in 0..TRIES {
        given.push(until_asked_again(cx).await?);
        if given.iter().any(|given| *given >= least) {
            return Ok(());
        }
    }
    let summary = "a document of more pages than one deadline is for is sent again too early";
    Err(Stop::violated(Finding::new(summary).comparing(
        format!("after {expected:?}"),
        format!("after {given:.1?}"),
    )))
}

/// How many documents are tried: a submission that a busy machine loses is repeated earlier.
const TRIES: usize = 2;

/// How long a parser that keeps silent about a long document is left in peace.
async fn until_asked_again(cx: &Context) -> CheckResult<time::Duration> {
    let pages = cx.contract().timing.parse_pages as usize + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    let standins = cx.standins()?;
    let silence = ParserBehaviour {
        callback: Callback {
            moment: CallbackMoment::Never,
            ..Callback::default()
        },
        ..ParserBehaviour::default()
    };
    let script = standins.script_parser(document.sha256(), silence);
    let script = script.times(1).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    pipeline.until_complete(&accepted).await?;
    script.withdraw().await?;
    let calls = standins.parser_calls(document.sha256()).await?;
    match &calls[..] {
        [first, second, ..] => Ok(second.at - first.at),
        _ => Err(anyhow::anyhow!("the parser was asked {} times", calls.len()).into()),
    }
}

/// As long as a check may wait for a deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
