//! Stage times: how long a document stays in each status, from the events of its job.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;

use crate::looks::two_looks;
use crate::measured::{Better, measured, median};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_stage_waits_without_need)
            .requires([Http, Database, Standins])
            .reads([read::EVENTS, read::event::CODE])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .severity(Medium)
            .measures(),
    ]
}

/// The documents whose stages are measured. The median of their times counts.
const DOCUMENTS: usize = 3;

/// What a stage may take in addition to the time between two looks of a worker at the queue. The providers are
/// stand-ins, which answer at once, and the documents are short.
const STAGE: Duration = secs(1);

/// How long a document was in a status.
struct Stage {
    status: String,
    times: Vec<Duration>,
}

/// A short document leaves each status soon, because its providers answer at once.
async fn no_stage_waits_without_need(cx: &Context) -> CheckResult {
    let allowed = cx.contract().timing.poll_interval + STAGE;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    two_looks(async || {
        let stages = stages(cx).await?;
        if stages.is_empty() {
            let reason = "the events of a job name no status that it entered";
            return Err(Stop::not_applicable(reason));
        }
        let mut slow = Vec::new();
        for Stage { status, times } in stages {
            let time = median(times);
            measured(cx, &format!("time in status {status}"), "ms", Better::Lower, time.as_secs_f64() * 1e3);
            if time > allowed {
                slow.push(format!("{time:.1?} in status '{status}'"));
            }
        }
        Ok((!slow.is_empty()).then(|| {
            format!(
                "a short document waits {}, and its providers answer at once; at most {allowed:.1?} is expected in a status",
                slow.join(" and ")
            )
        }))
    })
    .await
}

/// The times of several documents in each status that they left, in the order of the statuses.
async fn stages(cx: &Context) -> CheckResult<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    for _ in 0..DOCUMENTS {
        let done = cx.pipeline()?.complete(&cx.document().build()).await?;
        let events = cx.database()?.events_of(done.job_id()).await?;
        let statuses = &cx.contract().vocabulary.statuses;
        let entered: Vec<_> = events
            .iter()
            .filter_map(|event| Some((event.code.as_ref()?, event.ts)))
            .filter(|(status, _)| statuses.contains(status))
            .collect();
        for pair in entered.windows(2) {
            let time = Duration::try_from(pair[1].1 - pair[0].1).unwrap_or_default();
            let status = pair[0].0;
            match stages.iter_mut().find(|stage| stage.status == *status) {
                Some(stage) => stage.times.push(time),
                None => stages.push(Stage {
                    status: status.clone(),
                    times: vec![time],
                }),
            }
        }
    }
    Ok(stages)
}
