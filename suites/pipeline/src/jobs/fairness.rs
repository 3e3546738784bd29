//! Fairness and cost: jobs are served in their order, retries are spread, and every paid call is accounted for.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::standin::EmbedderBehaviour;
use futures::stream::{self, TryStreamExt as _};
use serde_json::Value;

use cutover_suite_support::row_history::RowHistory;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(jobs_are_served_in_their_order)
            .requires([Http, Database, Processes, WorkerStop])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(retries_of_what_failed_together_are_spread)
            .requires([Http, Database, Standins, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(every_paid_call_was_ordered)
            .requires([Http, Standins, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// The jobs that wait when the worker starts.
const JOBS: usize = 12;

/// By how many later jobs a job may be overtaken.
const MAX_OVERTAKEN: usize = 4;

/// Jobs that wait when a worker starts are begun in the order in which they came.
async fn jobs_are_served_in_their_order(cx: &Context) -> CheckResult {
    let history = RowHistory::add(cx).await?;
    let outcome = serve_in_order(cx).await;
    history.remove().await?;
    outcome
}

async fn serve_in_order(cx: &Context) -> CheckResult {
    cx.control(ControlAction::StopWorkers).await?;
    let mut waiting: Vec<(Pipeline, Accepted)> = Vec::new();
    for _ in 0..JOBS {
        let (pipeline, document) = (cx.pipeline()?, cx.document().build());
        let accepted = pipeline.upload(&document).await?;
        waiting.push((pipeline, accepted));
    }
    cx.control(ControlAction::StartWorkers).await?;
    for (pipeline, accepted) in &waiting {
        pipeline.until_complete(accepted).await?;
    }
    let claimed = claimed(cx).await?;
    let place = |accepted: &Accepted| claimed.iter().position(|job| *job == accepted.job_id);
    let places: Vec<_> = waiting
        .iter()
        .map(|(_, accepted)| place(accepted))
        .collect();
    for (n, place) in places.iter().enumerate() {
        let later = places.iter().skip(n + 1).filter(|other| *other < place);
        let overtaken = later.count();
        ensure!(
            overtaken <= MAX_OVERTAKEN,
            "of {JOBS} waiting jobs, the one at position {} was overtaken by {overtaken} later ones",
            n + 1
        );
    }
    Ok(())
}

/// The jobs in the order of their first claims.
async fn claimed(cx: &Context) -> CheckResult<Vec<Uuid>> {
    #[derive(serde::Deserialize)]
    struct Claimed {
        job_id: Uuid,
    }
    let sql = "SELECT new->>'job_id' AS job_id, min(n) AS first FROM cutover_history.versions
               WHERE relation = 'upload_jobs' AND new->>'state' = 'working' AND old->>'state' <> 'working'
               GROUP BY 1 ORDER BY 2";
    let rows: Vec<Claimed> = cx.database()?.rows(sql, &[]).await?;
    Ok(rows.into_iter().map(|row| row.job_id).collect())
}

/// The jobs that fail together.
const FAILING: usize = 12;

/// The least difference between the shortest and the longest delay, as a share of the base delay.
const LEAST_SPREAD: f64 = 0.02;

/// The delays of jobs whose provider fails for all of them differ, so that they do not come back at one moment.
async fn retries_of_what_failed_together_are_spread(cx: &Context) -> CheckResult {
    let history = RowHistory::add(cx).await?;
    let outcome = fail_together(cx).await;
    let delays = planned_delays(cx).await;
    history.remove().await?;
    outcome?;
    let delays = delays?;
    ensure!(
        delays.len() >= FAILING,
        "only {} of {FAILING} failed jobs were planned again",
        delays.len()
    );
    let shortest = delays.iter().copied().fold(f64::INFINITY, f64::min);
    let longest = delays.iter().copied().fold(0.0, f64::max);
    let base = cx.contract().timing.retry_base.as_secs_f64();
    ensure!(
        longest - shortest >= LEAST_SPREAD * base,
        "{} jobs that failed together are all tried again after the same {shortest:.4} s",
        delays.len()
    );
    Ok(())
}

async fn fail_together(cx: &Context) -> CheckResult {
    let failing = (0..FAILING).map(async |_| {
        let (pipeline, document) = (cx.pipeline()?, cx.document().build());
        let refusal = EmbedderBehaviour::Refuse {
            status: 503,
            marker: String::new(),
            retry_after_s: None,
        };
        let script = cx.standins()?.script_embedder(document.nonce(), refusal);
        let script = script.times(1).await?;
        let accepted = pipeline.upload(&document).await?;
        pipeline.until_complete(&accepted).await?;
        script.withdraw().await?;
        CheckResult::Ok(())
    });
    stream::iter(failing.map(Ok::<_, Stop>))
        .try_for_each_concurrent(FAILING / 2, |each| each)
        .await
}

/// The delay of each first retry, in seconds.
async fn planned_delays(cx: &Context) -> CheckResult<Vec<f64>> {
    let sql = "SELECT extract(epoch FROM (new->>'next_attempt_at')::timestamptz - (new->>'updated_at')::timestamptz)::float8 AS delay
               FROM cutover_history.versions
               WHERE relation = 'upload_jobs' AND new->>'state' = 'retryable' AND old->>'state' <> 'retryable'
                   AND new->>'retry_count' IN ('0', '1')";
    let rows: Vec<Value> = cx.database()?.rows(sql, &[]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| row["delay"].as_f64())
        .collect())
}

/// The calls of paid providers so far: submissions, and embedded texts.
async fn paid(cx: &Context) -> CheckResult<(usize, Vec<String>)> {
    let standins = cx.standins()?;
    let submissions = standins.parser_calls("").await?;
    let submissions = submissions.iter().filter(|call| call.bytes > 0);
    let embedded = standins.embedder_calls("").await?;
    let texts = embedded.into_iter().flat_map(|call| call.inputs);
    Ok((submissions.count(), texts.collect()))
}

/// How often each route is asked.
const REPEATS: usize = 3;

/// A document is parsed once and each of its texts embedded once; a search is one text; nothing else is paid for.
async fn every_paid_call_was_ordered(cx: &Context) -> CheckResult {
    let (pipeline, document) = (cx.pipeline()?, cx.document().paragraphs(30).build());
    let before = paid(cx).await?;
    let accepted = pipeline.upload(&document).await?;
    pipeline.until_complete(&accepted).await?;
    let after = paid(cx).await?;
    ensure_eq!(after.0 - before.0, 1, "one document was not submitted once");
    let texts = &after.1[before.1.len()..];
    let mut distinct: Vec<_> = texts.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    ensure_eq!(
        texts.len(),
        distinct.len(),
        "a text of one document was embedded more than once"
    );
    ask_everything_free(cx, &pipeline, &document, &accepted).await?;
    let free = paid(cx).await?;
    ensure_eq!(
        (free.0, free.1.len()),
        (after.0, after.1.len()),
        "requests that need no provider made paid calls: {:?}",
        &free.1[after.1.len()..]
    );
    if !cx.contract().has(Endpoint::Search) {
        return Ok(());
    }
    pipeline
        .search("premium of the policy", 5)
        .await?
        .expect_status(&cx.contract().statuses.searched)?;
    let searched = paid(cx).await?;
    ensure_eq!(
        searched.1.len() - free.1.len(),
        1,
        "one search is not one embedded text"
    );
    Ok(())
}

/// The reply of a route that the target may not have.
fn if_present(reply: CheckResult<Response>) -> CheckResult {
    match reply {
        Err(Stop::Skip { .. }) => Ok(()),
        reply => reply.map(drop),
    }
}

/// Requests for which no provider has to be paid: probes, reads, refusals and a deletion.
async fn ask_everything_free(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
    accepted: &Accepted,
) -> CheckResult {
    for _ in 0..REPEATS {
        if_present(pipeline.health().await)?;
        if_present(pipeline.ready().await)?;
        if_present(pipeline.version().await)?;
        if_present(pipeline.metrics().await)?;
        if_present(pipeline.limits().await)?;
        if_present(pipeline.jobs(&[]).await)?;
        if_present(pipeline.job(accepted.job_id).await)?;
        if_present(pipeline.document(accepted.document_id).await)?;
        if_present(pipeline.retry(accepted.job_id).await)?;
        pipeline.register(document.upload()).await?;
        for (query, k) in [("", 5), ("   ", 5), ("premium", 0)] {
            if_present(pipeline.search(query, k).await)?;
        }
        if_present(pipeline.anonymous().search("premium", 5).await)?;
        for worker in cx.processes()?.workers() {
            if_present(pipeline.at(worker.url()).health().await)?;
            if_present(pipeline.at(worker.url()).metrics().await)?;
        }
    }
    let other = cx.pipeline()?;
    let unfinished = other.accept(cx.document().build().upload()).await?;
    if_present(other.delete(unfinished.document_id).await)?;
    // A call that a request only begins would be seen by now.
    let polls = cx.contract().timing.poll_interval * 4 + Duration::from_millis(300);
    let began = std::time::Instant::now();
    cx.eventually("late calls have been made", polls * 2, async || {
        Ok((began.elapsed() >= polls).then_some(()))
    })
    .await
}
