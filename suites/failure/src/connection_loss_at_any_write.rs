//! Loss of the connection at any write: a step whose commit got no answer is not done twice, and none is left out.

use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::fault::faults::LostReply;
use cutover_harness::fault::{Injection, LinkName};
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use cutover_suite_support::write_stops::{WriteStop, WriteStops};

use super::stopped_documents::{
    READS, Stopped, WRITES, Writes, all_stopped, complete_all, stops_of_callback,
};
use cutover_suite_support::own_database::pass;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_commit_without_an_answer_loses_nothing, LOSSES)
            .requires([Http, Database, Storage, Processes, Links])
            .reads(READS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(3),
    ]
}

/// Whose writes get no answer.
pub(super) enum Loss {
    OfWorker(&'static Writes),
    OfCallback,
}

const LOSSES: &[Loss] = &[
    Loss::OfWorker(&WRITES[0]),
    Loss::OfWorker(&WRITES[1]),
    Loss::OfWorker(&WRITES[2]),
    Loss::OfWorker(&WRITES[3]),
    Loss::OfWorker(&WRITES[4]),
    Loss::OfCallback,
];

impl Named for Loss {
    fn name(&self) -> &'static str {
        match self {
            Self::OfWorker(writes) => writes.name(),
            Self::OfCallback => "of_the_callback",
        }
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.on())
    }
}

impl Loss {
    fn on(&self) -> LinkName {
        match self {
            Self::OfWorker(_) => LinkName::WorkerToDatabase,
            Self::OfCallback => LinkName::ApiToDatabase,
        }
    }

    fn stops(&self, cx: &Context) -> Vec<WriteStop> {
        match self {
            Self::OfWorker(writes) => writes.stops(cx),
            Self::OfCallback => stops_of_callback(cx),
        }
    }
}

/// A write whose reply is lost, and with it the connection, may be committed or not: the document completes
/// once in either case, with one event a step.
async fn a_commit_without_an_answer_loses_nothing(cx: &Context, loss: &Loss) -> CheckResult {
    let stops = WriteStops::add(cx).await?;
    let outcome = lose_replies(cx, &stops, loss).await;
    stops.remove().await?;
    outcome
}

async fn lose_replies(cx: &Context, stops: &WriteStops<'_>, loss: &Loss) -> CheckResult {
    let uploads = loss.stops(cx).into_iter();
    let documents = try_join_all(uploads.map(|stop| Stopped::upload(cx, stops, stop))).await?;
    all_stopped(cx, stops, &documents).await?;
    let fault = LostReply::default();
    let connection_ends_after = Duration::from_millis(fault.quiet_ms * 2);
    let guard = cx.link(loss.on())?.inject(Injection::new(fault))?;
    stops.release().await?;
    let within = cx.contract().timing.complete_within;
    let what = "every write that had stopped has lost its reply";
    cx.eventually(what, within, async || {
        let over = guard.touched().bytes > 0 && stops.waiting().await? == 0;
        Ok(over.then_some(()))
    })
    .await?;
    pass(cx, "the connections end", connection_ends_after).await?;
    guard.heal().await.map_err(anyhow::Error::from)?;
    complete_all(cx, &documents).await?;
    if let Loss::OfCallback = loss {
        for each in &documents {
            each.expect_true_acknowledgement(cx).await?;
        }
    }
    Ok(())
}
