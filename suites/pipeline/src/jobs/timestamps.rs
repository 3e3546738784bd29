//! Times: a job goes on in its own time, and says truly when that was.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_completes_without_polling)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
        check!(timestamps_are_correct)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// A document is worked on to its end while nobody asks how far it is.
async fn a_document_completes_without_polling(cx: &Context) -> CheckResult {
    let accepted = cx.pipeline()?.upload(&cx.document().build()).await?;
    let (database, complete) = (cx.database()?, &cx.contract().vocabulary.complete);
    let within = cx.contract().timing.complete_within;
    cx.eventually(
        "the row of the job says that it is complete",
        within,
        async || {
            let job = database.job(accepted.job_id).await?;
            let status = job.map(|job| job.status).unwrap_or_default();
            Ok(if status == *complete {
                Look::Seen(())
            } else {
                Look::NotYet(format!("the job is {status}"))
            })
        },
    )
    .await
}

/// How far clocks may be apart; zones are farther.
const APART: Duration = Duration::from_mins(10);

/// A job changed when it was worked on, by everybody's clock, and does not change because somebody looks at it.
async fn timestamps_are_correct(cx: &Context) -> CheckResult {
    if !cx.contract().fields.job.updated_at.is_given() {
        return Err(Stop::not_applicable(
            "the jobs of this target do not say when they changed",
        ));
    }
    let pipeline = cx.pipeline()?;
    let asked = OffsetDateTime::now_utc();
    let done = pipeline.complete(&cx.document().build()).await?;
    // What is still to be written after the last step has been written by then.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let first = pipeline.view(&done.accepted).await?.updated_at;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let again = pipeline.view(&done.accepted).await?.updated_at;
    ensure_eq!(
        again,
        first,
        "a job that is complete changes when somebody looks at it"
    );
    let told = OffsetDateTime::parse(first.as_deref().unwrap_or_default(), &Rfc3339);
    let Ok(told) = told else {
        return Err(Stop::not_applicable(
            "the times of this target have no zone",
        ));
    };
    let now = OffsetDateTime::now_utc();
    ensure!(
        told + APART >= asked && told <= now + APART,
        "a job that was worked on between {asked} and {now} says that it changed at {told}"
    );
    Ok(())
}
