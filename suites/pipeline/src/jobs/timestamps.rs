//! Timestamps: a job progresses without polling, and `updated_at` is the time of its last change.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use time::OffsetDateTime;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_completes_without_polling)
            .requires([Http, Database])
            .reads([read::JOBS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(timestamps_are_correct)
            .only_where([Condition::JOB_UPDATED_AT])
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A document completes while no client polls its status.
async fn a_document_completes_without_polling(cx: &Context) -> CheckResult {
    let accepted = cx.pipeline()?.upload(&cx.document().build()).await?;
    let (database, complete) = (cx.database()?, &cx.contract().vocabulary.complete);
    let within = cx.contract().timing.complete_within;
    cx.eventually(
        "the row of the job has the complete status",
        within,
        async || {
            let job = database.job(accepted.job_id).await?;
            let status = job.map(|job| job.status).unwrap_or_default();
            Ok(if status == *complete {
                Poll::Ready(())
            } else {
                Poll::Pending(format!("the job is {status}"))
            })
        },
    )
    .await
}

/// The largest clock difference between machines; time zones differ by more.
const CLOCK_SKEW: Duration = Duration::from_mins(10);

/// `updated_at` is the time at which the job was processed, and reading the job does not change it.
async fn timestamps_are_correct(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let asked = OffsetDateTime::now_utc();
    let done = pipeline.complete(&cx.document().build()).await?;
    // By the end of another document, all writes about the first are done.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let first = pipeline.view(&done.accepted).await?.updated_at;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let again = pipeline.view(&done.accepted).await?.updated_at;
    ensure_eq!(
        again,
        first,
        "the updated_at of a complete job changes without work on it"
    );
    let updated = first.as_deref().unwrap_or_default();
    let updated = cx.contract().time("updated_at of a job", updated)?;
    let now = OffsetDateTime::now_utc();
    ensure!(
        updated + CLOCK_SKEW >= asked && updated <= now + CLOCK_SKEW,
        "a job that was processed between {asked} and {now} has an updated_at of {updated}"
    );
    Ok(())
}
