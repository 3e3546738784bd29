//! Worker health: a worker that does not get on with its work does not look healthy from outside, and recovers.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;

use cutover_suite_support::responses::wait_for_status;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(
            a_worker_that_does_not_work_does_not_look_healthy,
            HINDRANCES
        )
        .requires([Http, Database, Processes, WorkerPause])
        .reads(read::NOTHING)
        .effect(Effect::Fault)
        .expected_duration(secs(11))
        .severity(High)
        .timeout(Duration::from_mins(2))
        .alone_with_workers(1),
    ]
}

/// What keeps a worker from its work.
pub(super) struct Hindrance {
    name: &'static str,
    kind: HindranceKind,
}

#[derive(Clone, Copy, PartialEq)]
enum HindranceKind {
    Frozen,
    QueueUnreadable,
}

impl Named for Hindrance {
    fn name(&self) -> &'static str {
        self.name
    }
}

const HINDRANCES: &[Hindrance] = &[
    Hindrance {
        name: "frozen",
        kind: HindranceKind::Frozen,
    },
    Hindrance {
        name: "it_cannot_read_the_queue",
        kind: HindranceKind::QueueUnreadable,
    },
];

/// How long it may take until it is noticed that a worker does not work, or works again.
const NOTICED_WITHIN: Duration = Duration::from_secs(25);

/// The rename of a column that only the queue needs, and its reversal.
const UNREADABLE: [&str; 2] = [
    "ALTER TABLE {schema}.upload_jobs RENAME COLUMN correlation_id TO correlation_id_away",
    "ALTER TABLE {schema}.upload_jobs RENAME COLUMN correlation_id_away TO correlation_id",
];

impl HindranceKind {
    async fn begin(self, cx: &Context) -> CheckResult {
        match self {
            Self::Frozen => cx.control(ControlAction::PauseWorkers).await,
            Self::QueueUnreadable => Ok(cx.own_database()?.execute(UNREADABLE[0]).await?),
        }
    }

    async fn end(self, cx: &Context) -> CheckResult {
        match self {
            Self::Frozen => cx.control(ControlAction::ResumeWorkers).await,
            Self::QueueUnreadable => Ok(cx.own_database()?.execute(UNREADABLE[1]).await?),
        }
    }
}

/// While a worker does not work, neither its own health route nor the readiness of the service says that all is well.
async fn a_worker_that_does_not_work_does_not_look_healthy(
    cx: &Context,
    case: &Hindrance,
) -> CheckResult {
    until(cx, "the worker is healthy and the service ready", true).await?;
    case.kind.begin(cx).await?;
    let noticed = match case.kind {
        // A frozen process answers nothing itself.
        HindranceKind::Frozen => until_unready(cx).await,
        HindranceKind::QueueUnreadable => {
            until(cx, "neither worker nor service looks healthy", false).await
        }
    };
    case.kind.end(cx).await?;
    noticed?;
    until(cx, "worker and service are healthy again", true).await?;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    Ok(())
}

/// Waits until the service is not ready.
async fn until_unready(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let ready = async || pipeline.ready().await;
    let what = "a service without a working worker is not ready";
    wait_for_status(cx, what, NOTICED_WITHIN, 503, ready).await?;
    Ok(())
}

/// Waits until the worker's health and the service's readiness are both good, or both bad.
async fn until(cx: &Context, what: &str, healthy: bool) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let workers = cx.processes()?.workers();
    cx.eventually(what, NOTICED_WITHIN, async || {
        let service = pipeline.ready().await?.is_success();
        let mut own = true;
        for worker in &workers {
            // No answer means that it is not healthy.
            let health = pipeline.at(worker.url()).health().await;
            own &= health.is_ok_and(|reply| reply.is_success());
        }
        Ok(if service == healthy && own == healthy {
            Poll::Ready(())
        } else {
            Poll::Pending(format!(
                "the service is ready: {service}; its worker is healthy: {own}"
            ))
        })
    })
    .await
}
