//! Self-reporting: health, readiness, version and metrics are correct.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use serde_json::Value;

use cutover_suite_support::responses::wait_for_status;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(health_and_version_answer)
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
        check!(api_and_worker_are_of_one_build)
            .requires([Http, Processes])
            .calls([Endpoint::Version])
            .effect(Effect::Read)
            .severity(High)
            .alone_with_workers(1),
        check!(a_completed_document_is_counted)
            .requires([Http, Processes])
            .calls([Endpoint::Metrics])
            .effect(Effect::WriteTenant)
            .severity(High)
            .alone_with_workers(1),
        check!(a_dead_worker_is_not_ready)
            .requires([Http, WorkerStop])
            .calls([Endpoint::Ready])
            .effect(Effect::Fault)
            .expected_duration(secs(8))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// Placeholders of a build without version information.
const UNKNOWN: [&str; 4] = ["", "unknown", "dev", "none"];

/// How long the service may still be ready after its last worker died and the lease expired.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// The service is alive and ready, and reports its commit, migration and environment.
async fn health_and_version_answer(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    if cx.contract().has(Endpoint::Health) {
        pipeline.health().await?.expect_status(200)?;
    }
    if cx.contract().has(Endpoint::Ready) {
        expect_quick_readiness(cx, &pipeline).await?;
    }
    if cx.contract().has(Endpoint::Version) {
        expect_version(cx, &pipeline).await?;
    }
    Ok(())
}

/// Readiness is answered in time.
async fn expect_quick_readiness(cx: &Context, pipeline: &Pipeline) -> CheckResult {
    // One fast response is enough: a busy machine may delay some, but a slow probe delays all.
    let limit = cx.contract().timing.ready_within;
    cx.eventually(
        "readiness is answered in time",
        NOTICED_WITHIN,
        async || {
            let reply = pipeline.ready().await?;
            if reply.status == 200 && reply.elapsed < limit {
                return Ok(Poll::Ready(()));
            }
            let took = reply.elapsed.as_secs_f64();
            Ok(Poll::Pending(format!(
                "after {took:.1} s: {}",
                reply.summary()
            )))
        },
    )
    .await
}

/// The version is not cacheable, and names commit, migrations and environment.
async fn expect_version(cx: &Context, pipeline: &Pipeline) -> CheckResult {
    let reply = pipeline.version().await?.expect_status(200)?;
    let cached = reply.header("cache-control").unwrap_or_default().to_owned();
    ensure!(
        cached.contains("no-store") || !cx.contract().responses.probes_no_store,
        "the version is cacheable: Cache-Control is '{cached}'"
    );
    let version = reply.json()?;
    let fields = &cx.contract().fields.version;
    for (pointer, what) in [
        (&fields.commit, "commit"),
        (&fields.migration_head, "migrations"),
        (&fields.environment, "environment"),
    ] {
        let value = pointer.find(&version).unwrap_or(&Value::Null);
        let is_known =
            !value.is_null() && value.as_str().is_none_or(|value| !UNKNOWN.contains(&value));
        ensure!(
            is_known || !pointer.is_given(),
            "the version does not contain the {what}: {version}"
        );
    }
    Ok(())
}

/// A service without a worker is alive but not ready, and becomes ready again with a worker.
async fn a_dead_worker_is_not_ready(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let within = cx.contract().timing.lease + NOTICED_WITHIN;
    cx.control(ControlAction::StopWorkers).await?;
    // A waiting document ages the queue, in case the service derives readiness from that.
    pipeline.upload(&cx.document().build()).await?;
    let ready = async || pipeline.ready().await;
    wait_for_status(cx, "the service is not ready", within, 503, ready).await?;
    if cx.contract().has(Endpoint::Health) {
        pipeline.health().await?.expect_status(200)?;
    }
    cx.control(ControlAction::StartWorkers).await?;
    wait_for_status(cx, "the service is ready again", within, 200, ready).await?;
    Ok(())
}

/// All processes of the service report the same commit, build, migration and environment.
async fn api_and_worker_are_of_one_build(cx: &Context) -> CheckResult {
    let api = cx.pipeline()?.anonymous();
    let api_version = api.version().await?.expect_status(200)?.json()?;
    for worker in cx.processes()?.workers() {
        let reply = api.at(worker.url()).version().await?;
        let worker = reply.expect_status(200)?.json()?;
        let fields = &cx.contract().fields.version;
        for pointer in [
            &fields.commit,
            &fields.build,
            &fields.migration_head,
            &fields.environment,
        ] {
            ensure_eq!(
                pointer.find(&worker),
                pointer.find(&api_version),
                "worker and API report a different {}",
                pointer.as_str()
            );
        }
    }
    Ok(())
}

/// Metrics are in Prometheus text format, and a counter increases with each completed document.
async fn a_completed_document_is_counted(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let before = counters(cx, &pipeline).await?;
    pipeline.complete(&cx.document().build()).await?;
    let complete = &cx.contract().vocabulary.complete;
    let after = counters(cx, &pipeline).await?;
    let increased = after.iter().any(|(name, value)| {
        name.contains(complete) && *value > before.get(name).copied().unwrap_or_default()
    });
    ensure!(
        increased,
        "no metric with '{complete}' in its name increased after a document completed, among {} values",
        after.len()
    );
    Ok(())
}

/// The metrics of all processes, by process, name and labels.
async fn counters(cx: &Context, pipeline: &Pipeline) -> CheckResult<BTreeMap<String, f64>> {
    let mut processes = vec![("api".to_owned(), pipeline.anonymous())];
    for worker in cx.processes()?.workers() {
        let at = pipeline.anonymous().at(worker.url());
        processes.push((worker.name().to_owned(), at));
    }
    let mut values = BTreeMap::new();
    for (process, pipeline) in processes {
        let text = pipeline.metrics().await?.expect_status(200)?.text();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = sample(line) else {
                let summary = format!("a line of the metrics of {process} is not a sample: {line}");
                return Err(Stop::violated(Finding::new(summary)));
            };
            values.insert(format!("{process} {name}"), value);
        }
    }
    ensure!(!values.is_empty(), "the service has no metrics");
    Ok(values)
}

/// Name with labels, and value, of a line like `jobs{status="complete"} 3`. A timestamp is ignored.
fn sample(line: &str) -> Option<(&str, f64)> {
    let end = line
        .rfind('}')
        .map_or_else(|| line.find(' '), |brace| Some(brace + 1))?;
    let (name, rest) = line.split_at(end);
    let value = rest.split_whitespace().next()?;
    Some((name, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_a_name_and_a_value() {
        assert_eq!(sample("up 1"), Some(("up", 1.0)));
        let labelled = r#"jobs{status="a b"} 3.5 1700000000"#;
        assert_eq!(sample(labelled), Some((r#"jobs{status="a b"}"#, 3.5)));
        assert_eq!(
            sample("le{le=\"+Inf\"} +Inf").map(|(_, value)| value),
            Some(f64::INFINITY)
        );
        assert_eq!(sample("nonsense"), None);
        assert_eq!(sample("name value"), None);
    }
}
