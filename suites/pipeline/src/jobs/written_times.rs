//! Written times: every time in a row is the time of the event that it tells of, and is renewed with each event.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Endpoint};
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackMoment, EmbedderBehaviour, ParserAnswer, ParserBehaviour,
};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use cutover_suite_support::row_history::RowHistory;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_written_time_is_the_time_of_its_event)
            .requires([Http, Database, Standins, Processes])
            .calls([Endpoint::Job, Endpoint::Document, Endpoint::Retry])
            .reads([
                read::document::CREATED_AT,
                read::document::UPDATED_AT,
                read::job::LAST_ERROR,
                read::job::UPDATED_AT,
            ])
            .effect(Effect::Fault)
            .expected_duration(secs(6))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// A rule about the times of a write, and a query for its violations.
struct TimeRule {
    statement: &'static str,
    violations: &'static str,
}

/// `began` is the start of the transaction, `at` the end of the write. A tolerance allows for services that read
/// their own clock shortly before.
const RULES: &[TimeRule] = &[
    TimeRule {
        statement: "a creation time never changes",
        violations: "old ? 'created_at' AND old->>'created_at' <> new->>'created_at'",
    },
    TimeRule {
        statement: "a new row has the time of its creation",
        violations: "op = 'INSERT' AND NOT coalesce((coalesce(new->>'created_at', new->>'ts', new->>'processed_at'))::timestamptz
            BETWEEN began - tolerance AND at, false)",
    },
    TimeRule {
        statement: "updated_at is renewed with every change of the status",
        violations: "op = 'UPDATE' AND new ? 'updated_at'
            AND (coalesce(old->>'status', old->>'processing_status', '') <> coalesce(new->>'status', new->>'processing_status', ''))
            AND NOT coalesce((new->>'updated_at')::timestamptz BETWEEN began - tolerance AND at, false)",
    },
    TimeRule {
        statement: "updated_at never goes back",
        violations: "old ? 'updated_at' AND (new->>'updated_at')::timestamptz < (old->>'updated_at')::timestamptz",
    },
    TimeRule {
        statement: "each claim has its own time and a lease in the future",
        violations: "relation = 'upload_jobs' AND op = 'UPDATE' AND new->>'state' = 'working'
            AND (old->>'state' <> 'working' OR old->>'claimed_by' <> new->>'claimed_by')
            AND NOT coalesce((new->>'claimed_at')::timestamptz BETWEEN began - tolerance AND at
                AND (new->>'lease_expires_at')::timestamptz > at, false)",
    },
    TimeRule {
        statement: "a renewed lease ends later than before",
        violations: "relation = 'upload_jobs' AND op = 'UPDATE' AND old->>'lease_expires_at' <> new->>'lease_expires_at'
            AND (new->>'lease_expires_at')::timestamptz < (old->>'lease_expires_at')::timestamptz",
    },
    TimeRule {
        statement: "an error has the time at which it happened",
        violations: "relation = 'upload_jobs' AND new->'last_error' IS DISTINCT FROM coalesce(old->'last_error', 'null')
            AND jsonb_typeof(new->'last_error') = 'object'
            AND NOT coalesce((new->'last_error'->>'timestamp')::timestamptz BETWEEN began - interval '1 second' - tolerance AND at, false)",
    },
    TimeRule {
        statement: "a retry is in the future when it is planned, and not later than the longest delay",
        violations: "relation = 'upload_jobs' AND old->>'state' <> 'retryable' AND new->>'state' = 'retryable'
            AND NOT coalesce((new->>'next_attempt_at')::timestamptz BETWEEN at + base AND at + cap, false)",
    },
    TimeRule {
        statement: "a job that is queued again by its owner is due at once",
        violations: "relation = 'upload_jobs' AND old->>'state' = 'deadletter' AND new->>'state' = 'queued'
            AND (new->>'next_attempt_at')::timestamptz > at + tolerance",
    },
    TimeRule {
        statement: "a vector has the time at which it was stored",
        violations: "relation = 'document_chunks' AND op = 'UPDATE' AND new->>'vector_dim' IS NOT NULL
            AND NOT coalesce((new->>'embed_updated_at')::timestamptz BETWEEN began - tolerance AND at, false)",
    },
    TimeRule {
        statement: "an upload expires its lifetime after the registration",
        violations: "relation = 'upload_jobs' AND op = 'INSERT'
            AND NOT coalesce((new->>'upload_expires_at')::timestamptz BETWEEN at + lifetime - interval '3 seconds' AND at + lifetime + interval '1 second', false)",
    },
    TimeRule {
        statement: "a deadline of the parser is in the future when it is set",
        violations: "relation = 'upload_jobs' AND op = 'UPDATE' AND new->>'parse_deadline_at' IS NOT NULL
            AND old->>'parse_deadline_at' IS DISTINCT FROM new->>'parse_deadline_at'
            AND (new->>'parse_deadline_at')::timestamptz <= at",
    },
];

#[derive(Deserialize)]
struct Violation {
    what: String,
}

/// Pauses between the events, so that an old time differs from a new one.
const PAUSE_MS: u64 = 700;

/// How much earlier than its transaction a service may read its clock.
const TOLERANCE: &str = "interval '250 milliseconds'";

/// Over a completion, a retry, a failure and a second attempt, every time is that of its event; answers show the same.
async fn every_written_time_is_the_time_of_its_event(cx: &Context) -> CheckResult {
    let history = RowHistory::add(cx).await?;
    let outcome = complete_retry_and_fail(cx).await;
    let judged = if outcome.is_ok() {
        judge(cx).await
    } else {
        Ok(())
    };
    history.remove().await?;
    outcome.and(judged)
}

async fn complete_retry_and_fail(cx: &Context) -> CheckResult {
    let standins = cx.standins()?;
    let (pipeline, document) = (cx.pipeline()?, cx.document().paragraphs(6).build());
    let late_callback = ParserBehaviour::calling_back(Callback {
        moment: CallbackMoment::Late { delay_ms: PAUSE_MS },
        ..Callback::default()
    });
    let slow = standins
        .script_parser(document.sha256(), late_callback)
        .await?;
    let busy = EmbedderBehaviour::Refuse {
        status: 503,
        marker: String::new(),
        retry_after_s: None,
    };
    let busy = standins
        .script_embedder(document.nonce(), busy)
        .times(1)
        .await?;
    let late = EmbedderBehaviour::Late { delay_ms: PAUSE_MS };
    let late = standins.script_embedder(document.nonce(), late).await?;
    let accepted = pipeline.accept(document.upload()).await?;
    wait(cx, Duration::from_millis(PAUSE_MS)).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    pipeline.until_complete(&accepted).await?;
    for script in [slow, busy, late] {
        script.withdraw().await?;
    }
    expect_shown_times(cx, &pipeline, &accepted).await?;
    fail_and_retry(cx).await
}

async fn fail_and_retry(cx: &Context) -> CheckResult {
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    let refusal = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 400,
            marker: "no".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let script = cx.standins()?.script_parser(document.sha256(), refusal);
    let script = script.times(1).await?;
    let accepted = pipeline.upload(&document).await?;
    pipeline.until_final(&accepted).await?;
    expect_shown_times(cx, &pipeline, &accepted).await?;
    wait(cx, Duration::from_millis(PAUSE_MS)).await?;
    pipeline
        .retry(accepted.job_id)
        .await?
        .expect_status(&cx.contract().statuses.retried)?;
    pipeline.until_complete(&accepted).await?;
    script.withdraw().await?;
    expect_shown_times(cx, &pipeline, &accepted).await
}

/// Lets time pass between two events.
async fn wait(cx: &Context, time: Duration) -> CheckResult {
    let began = std::time::Instant::now();
    cx.eventually("time has passed", time * 2, async || {
        Ok((began.elapsed() >= time).then_some(()))
    })
    .await
}

async fn judge(cx: &Context) -> CheckResult {
    let timing = &cx.contract().timing;
    let seconds = |time: Duration| format!("interval '{} seconds'", time.as_secs_f64());
    let lifetime = seconds(cx.contract().limits.url_ttl);
    let (base, cap) = (
        seconds(timing.retry_base.mul_f64(0.8)),
        seconds(timing.retry_cap + Duration::from_secs(1)),
    );
    let mut broken = Vec::new();
    for rule in RULES {
        let sql = format!(
            "SELECT format('%s of %s at %s: %s -> %s', op, relation, at, old, new) AS what
             FROM cutover_history.versions, (SELECT {TOLERANCE} AS tolerance, {lifetime} AS lifetime, {base} AS base, {cap} AS cap) AS t
             WHERE {} LIMIT 2",
            rule.violations
        );
        let found: Vec<Violation> = cx.database()?.rows(&sql, &[]).await?;
        broken.extend(
            found
                .into_iter()
                .map(|violation| format!("{}: {}", rule.statement, violation.what)),
        );
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(Stop::violated(
        Finding::new("a written time is not that of its event")
            .comparing("every time is that of its event", broken.join("\n")),
    ))
}

/// The times in the answers are those of the rows, as instants.
async fn expect_shown_times(cx: &Context, pipeline: &Pipeline, accepted: &Accepted) -> CheckResult {
    let database = cx.database()?;
    let fields = &cx.contract().fields.job;
    let job = database.job(accepted.job_id).await?;
    let Some(job) = job else {
        return Err(Stop::violated(Finding::new("an accepted job has no row")));
    };
    let shown = pipeline.show(accepted).await?.expect_status(200)?.json()?;
    let error_time = job
        .last_error
        .as_ref()
        .and_then(|error| error["timestamp"].as_str());
    let error_time = error_time.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    for (pointer, expected) in [
        (&fields.updated_at, job.updated_at),
        (&fields.last_error_timestamp, error_time),
    ] {
        if let (Some(text), Some(expected)) =
            (pointer.find(&shown).and_then(Value::as_str), expected)
        {
            let time = cx.contract().time("the time of a job", text)?;
            ensure!(
                (time - expected).abs() < Duration::from_millis(1),
                "{} of a job is {text}, and its row has {expected}",
                pointer.as_str()
            );
        }
    }
    let request = pipeline.request(Endpoint::Document, accepted.document_id)?;
    let document = pipeline
        .ask(Endpoint::Document, request)
        .await?
        .expect_status(200)?
        .json()?;
    let row = database.document(accepted.document_id).await?;
    let Some(row) = row else { return Ok(()) };
    for (name, expected) in [
        ("created_at", row.created_at),
        ("updated_at", row.updated_at),
    ] {
        if let (Some(text), Some(expected)) = (document[name].as_str(), expected) {
            let time = cx.contract().time("the time of a document", text)?;
            ensure!(
                (time - expected).abs() < Duration::from_millis(1),
                "{name} of a document is {text}, and its row has {expected}"
            );
        }
    }
    Ok(())
}
