//! Truthfulness: what the service says of itself is so.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use serde_json::Value;

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(health_and_version_answer)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(a_dead_worker_is_not_ready)
            .requires([Http, Processes])
            .effect(Fault)
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// Words that a build puts where it does not know its own commit.
const UNKNOWN: [&str; 4] = ["", "unknown", "dev", "none"];

/// How long after the last worker's death readiness may still be claimed,
/// beyond the lease that it held.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// The service lives, is ready, and knows what it was built from.
async fn health_and_version_answer(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    pipeline.health().await?.expect_status(200)?;
    // One answer in time is enough: a machine may be busy, a slow probe always is.
    let limit = cx.contract().timing.ready_within;
    cx.eventually("readiness is told in time", NOTICED_WITHIN, async || {
        let reply = pipeline.ready().await?;
        if reply.status == 200 && reply.elapsed < limit {
            return Ok(Look::Seen(()));
        }
        let took = reply.elapsed.as_secs_f64();
        Ok(Look::NotYet(format!(
            "after {took:.1} s: {}",
            reply.summary()
        )))
    })
    .await?;
    let reply = pipeline.version().await?.expect_status(200)?;
    let cached = reply.header("cache-control").unwrap_or_default().to_owned();
    ensure!(
        cached.contains("no-store"),
        "the version may be cached: Cache-Control is '{cached}'"
    );
    let version = reply.json()?;
    let commit = version["commit"].as_str().unwrap_or_default();
    ensure!(
        !UNKNOWN.contains(&commit),
        "the service does not know its commit: {version}"
    );
    ensure!(
        is_given(&version["migration_head"]),
        "the service does not know its migrations: {version}"
    );
    ensure!(
        is_given(&version["environment"]),
        "the service does not know its environment: {version}"
    );
    Ok(())
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value != ""
}

/// A service whose worker is dead is alive but not ready, and is ready again with the worker.
async fn a_dead_worker_is_not_ready(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let stack = cx.processes()?;
    let within = cx.contract().timing.lease + NOTICED_WITHIN;
    let [worker] = &stack.workers()[..] else {
        return Err(anyhow::anyhow!("the stack has not one worker").into());
    };
    worker.kill().await?;
    // A document that waits makes the queue old, whatever else the service looks at.
    pipeline.upload(&cx.document().build()).await?;
    let ready = async |expected: u16| {
        let reply = pipeline.ready().await?;
        Ok(if reply.status == expected {
            Look::Seen(())
        } else {
            Look::NotYet(reply.summary())
        })
    };
    cx.eventually("readiness is denied", within, async || ready(503).await)
        .await?;
    pipeline.health().await?.expect_status(200)?;
    worker.restart().await?;
    cx.eventually("readiness is back", within, async || ready(200).await)
        .await
}
