//! Document rate: how many documents a minute the pipeline keeps up with, and that it loses none of those that are too many.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_suite_support::own_database::pass;
use futures::future::try_join_all;

use crate::measured::{Better, as_float, measured};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_overload_of_uploads_loses_no_document)
            .requires([Http, Minting])
            .effect(Effect::Load)
            .expected_duration(secs(9))
            .severity(Critical)
            .occupies(Resource::Worker)
            .measures(),
    ]
}

/// The documents whose time at once shows which rates to try.
const LEARNED: u32 = 8;

/// How long documents are uploaded at one rate, and the fewest and the most of them.
const STEP: Duration = secs(1);
const FEWEST: u32 = 4;
const MOST: u32 = 60;

/// How many rates are tried after the first: the interval of the knee is then a quarter of the highest rate.
const STEPS: usize = 3;

/// A rate is kept if all documents are complete this soon after the last one is due, or in this many times what one
/// document takes alone, whichever is longer.
const SETTLES: Duration = Duration::from_millis(400);
const TIMES_ALONE: f64 = 2.0;

/// The documents of the overload, all due at once: those of this time at the lowest rate that is not kept, within bounds.
const OVERLOAD: Duration = secs(3);
const OVERLOAD_FEWEST: u32 = 40;

/// What a registration may take in an overload.
const WITHIN: Duration = secs(20);

/// What became of an upload.
enum Uploaded {
    Complete,
    /// The service said that it is busy.
    Refused,
    /// The service answered a registration with an error, or not at all.
    Unanswered(String),
    /// The upload was accepted, and the document is not complete.
    Lost(String),
}

/// When far more documents arrive than are processed, each is complete in the end or refused at once.
async fn an_overload_of_uploads_loses_no_document(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    pipeline.complete(&cx.document().build()).await?;
    let began = Instant::now();
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let alone = began.elapsed();
    let (kept, exceeded) = knee(cx, alone).await?;
    let per_minute = |rate: f64| rate * 60.0;
    let (name, unit) = ("knee of documents, at least", "documents/min");
    measured(cx, name, unit, Better::Higher, per_minute(kept));
    if let Some(exceeded) = exceeded {
        let name = "knee of documents, at most";
        measured(cx, name, unit, Better::Higher, per_minute(exceeded));
    }
    let documents = documents_in(OVERLOAD, exceeded.unwrap_or(kept)).max(OVERLOAD_FEWEST);
    let (outcomes, took) = paced(cx, f64::INFINITY, documents).await?;
    let drained = f64::from(documents) / took.as_secs_f64();
    measured(
        cx,
        "documents complete in an overload",
        unit,
        Better::Higher,
        per_minute(drained),
    );
    none_is_lost(&outcomes)
}

/// Each upload is complete or was refused, and not all were refused.
fn none_is_lost(outcomes: &[Uploaded]) -> CheckResult {
    let all = outcomes.len();
    let mut complete = 0;
    let (mut lost, mut unanswered) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Uploaded::Complete => complete += 1,
            Uploaded::Refused => {}
            Uploaded::Lost(what) => lost.push(what),
            Uploaded::Unanswered(what) => unanswered.push(what),
        }
    }
    if let Some(first) = lost.first() {
        let lost = lost.len();
        return Err(Stop::violated(Finding::new(format!(
            "of {all} documents uploaded at once, {lost} were accepted and are not complete: {first}"
        ))));
    }
    if let Some(first) = unanswered.first() {
        let unanswered = unanswered.len();
        return Err(Stop::violated(Finding::new(format!(
            "of {all} documents uploaded at once, the registration of {unanswered} is neither accepted nor refused with 429 or 503: {first}"
        ))));
    }
    ensure!(
        complete > 0,
        "of {all} documents uploaded at once, all are refused"
    );
    Ok(())
}

/// The highest rate that is kept, and the lowest one that was tried and is not, in documents per second: by doubling
/// from half of what several documents at once reach, and by halving the interval.
async fn knee(cx: &Context, alone: Duration) -> CheckResult<(f64, Option<f64>)> {
    let (_, together) = paced(cx, f64::INFINITY, LEARNED).await?;
    let mut rate = f64::from(LEARNED) / together.as_secs_f64() / 2.0;
    let (mut kept, mut exceeded) = (0.0, None);
    for _ in 0..=STEPS {
        let documents = documents_in(STEP, rate);
        let (outcomes, took) = paced(cx, rate, documents).await?;
        let due = Duration::from_secs_f64(f64::from(documents - 1) / rate);
        let allowed = due + alone.mul_f64(TIMES_ALONE).max(alone + SETTLES);
        let are_complete = outcomes.iter().all(|one| matches!(one, Uploaded::Complete));
        if are_complete && took <= allowed {
            kept = rate;
        } else {
            exceeded = Some(rate);
        }
        if documents == MOST && exceeded.is_none() {
            // More documents are not uploaded to learn the rate.
            break;
        }
        rate = exceeded.map_or(rate * 2.0, |exceeded| f64::midpoint(kept, exceeded));
    }
    Ok((kept, exceeded))
}

/// The documents that are due in a time at a rate, within bounds.
fn documents_in(time: Duration, rate: f64) -> u32 {
    let bounds = f64::from(FEWEST)..=f64::from(MOST);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "4 to 60"
    )]
    let documents = (rate * time.as_secs_f64()).clamp(*bounds.start(), *bounds.end()) as u32;
    documents
}

/// Uploads documents at a rate, each of a user of its own: what became of them, and how long it took in all.
async fn paced(cx: &Context, rate: f64, documents: u32) -> CheckResult<(Vec<Uploaded>, Duration)> {
    let users = (0..documents)
        .map(|_| cx.pipeline())
        .collect::<CheckResult<Vec<_>>>()?;
    let what = if rate.is_finite() {
        format!("{documents} documents at {rate:.1} per second")
    } else {
        format!("{documents} documents at once")
    };
    let began = Instant::now();
    let uploads = async {
        let uploads = users.iter().enumerate().map(async |(at, user)| {
            let due = Duration::from_secs_f64(as_float(at as u64) / rate);
            if !due.is_zero() {
                pass(cx, "the next document is due", due).await?;
            }
            uploaded(cx, user).await
        });
        try_join_all(uploads).await
    };
    let outcomes = cx.document_load(&what, documents, uploads).await?;
    Ok((outcomes, began.elapsed()))
}

/// Uploads one document, and waits for it if it is accepted.
async fn uploaded(cx: &Context, user: &Pipeline) -> CheckResult<Uploaded> {
    let document = cx.document().build();
    let response = match user.try_register(document.upload(), WITHIN).await? {
        Ok(response) => response,
        Err(error) => return Ok(Uploaded::Unanswered(error.to_string())),
    };
    if matches!(response.status, 429 | 503) {
        return Ok(Uploaded::Refused);
    }
    let summary = response.summary();
    let Ok(response) = response.expect_status(&cx.contract().statuses.accepted) else {
        return Ok(Uploaded::Unanswered(summary));
    };
    let accepted = Accepted::read(&response, cx.contract())?;
    let complete = async {
        user.deliver(&accepted, document.upload()).await?;
        user.until_complete(&accepted).await
    };
    match complete.await {
        Ok(_) => Ok(Uploaded::Complete),
        Err(Stop::Violated(finding)) => Ok(Uploaded::Lost(finding.summary)),
        Err(other) => Err(other),
    }
}
