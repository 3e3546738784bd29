//! Workers: each is as fast as the others, and a backlog is worked off without pauses.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use crate::looks::two_looks;
use crate::measured::{Better, gated, measured, median};
use crate::processor::ProcessorTime;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(workers_are_equally_fast)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(2)
            .measures(),
        check!(more_workers_are_not_slower)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(6))
            .severity(High)
            .alone_with_workers(4)
            .measures(),
        check!(a_backlog_drains_without_pauses)
            .requires([Http, Processes, WorkerStop])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1)
            .measures(),
    ]
}

/// The documents that each worker processes.
const DOCUMENTS: usize = 3;

/// How many times as long as another worker one may need for a document, if it needs this much longer, too.
const TIMES: f64 = 3.0;
const LONGER: Duration = Duration::from_millis(700);

/// Each of two workers, with the other one frozen, needs about the same time for a document.
async fn workers_are_equally_fast(cx: &Context) -> CheckResult {
    two_looks(async || {
        let mut times = Vec::new();
        for worker in 0..2 {
            times.push(time_of(cx, worker).await?);
        }
        times.sort_unstable();
        let [fast, slow] = times[..] else {
            return Ok(None);
        };
        let is_slow = slow > fast.mul_f64(TIMES) && slow > fast + LONGER;
        measured(cx, "slower worker", "times", Better::Lower, slow.as_secs_f64() / fast.as_secs_f64());
        Ok(is_slow.then(|| {
            format!("one worker needs {slow:.1?} for a document, and another one {fast:.1?}: it is slower than its peers")
        }))
    })
    .await
}

/// The median time of a document while only this worker works. The others are frozen, not stopped: a worker that
/// leads the others goes on to lead.
async fn time_of(cx: &Context, worker: usize) -> CheckResult<Duration> {
    let workers = cx.processes()?.workers();
    let others = workers.iter().enumerate();
    let others: Vec<_> = others.filter(|(other, _)| *other != worker).collect();
    for (_, other) in &others {
        other.pause().await?;
    }
    let time = median_time(cx).await;
    for (_, other) in &others {
        other.resume().await?;
    }
    time
}

/// The median time of a document.
async fn median_time(cx: &Context) -> CheckResult<Duration> {
    let mut times = Vec::new();
    for _ in 0..DOCUMENTS {
        let (pipeline, document) = (cx.pipeline()?, cx.document().build());
        let began = Instant::now();
        pipeline.complete(&document).await?;
        times.push(began.elapsed());
    }
    Ok(median(times))
}

/// The numbers of workers that are compared, and the documents that they process at once.
const WORKERS: [usize; 3] = [1, 2, 4];
const AT_ONCE: u32 = 12;

/// How many times as long more workers may need as one, and how much longer.
const TIMES_ONE: f64 = 1.5;
const LONGER_THAN_ONE: Duration = Duration::from_millis(800);

/// Two and four workers process documents in no more time than one.
async fn more_workers_are_not_slower(cx: &Context) -> CheckResult {
    at_once(cx, 4).await?;
    two_looks(async || {
        let mut times = Vec::new();
        for workers in WORKERS {
            let time = with_workers(cx, workers, async || at_once(cx, AT_ONCE).await).await?;
            times.push(time);
            let name = format!("documents per minute, workers: {workers}");
            let per_minute = f64::from(AT_ONCE) * 60.0 / time.as_secs_f64();
            measured(cx, &name, "documents/min", Better::Higher, per_minute);
        }
        let [one, ..] = times[..] else {
            return Ok(None);
        };
        let allowed = one.mul_f64(TIMES_ONE).max(one + LONGER_THAN_ONE);
        let slower = WORKERS.iter().zip(&times).find(|(_, time)| **time > allowed);
        Ok(slower.map(|(workers, time)| {
            format!("{workers} workers need {time:.1?} for {AT_ONCE} documents, and one needs {one:.1?}: more workers are slower")
        }))
    })
    .await
}

/// What a measurement yields while only the first workers work. The others are frozen.
async fn with_workers<T>(
    cx: &Context,
    count: usize,
    measure: impl AsyncFnOnce() -> CheckResult<T>,
) -> CheckResult<T> {
    let workers = cx.processes()?.workers();
    let others: Vec<_> = workers.iter().skip(count).collect();
    for other in &others {
        other.pause().await?;
    }
    let yielded = measure().await;
    for other in &others {
        other.resume().await?;
    }
    yielded
}

/// How long this many documents take at once, each of a user of its own.
async fn at_once(cx: &Context, documents: u32) -> CheckResult<Duration> {
    let all = (0..documents).map(async |_| -> CheckResult<_> {
        let (pipeline, document) = (cx.pipeline()?, cx.document().build());
        pipeline.complete(&document).await
    });
    let began = Instant::now();
    let what = format!("{documents} documents at once");
    let done = async {
        try_join_all(all).await?;
        Ok(began.elapsed())
    };
    cx.document_load(&what, documents, done).await
}

/// The documents of a short and a long backlog.
const SHORT: u32 = 4;
const LONG: u32 = 20;

/// What a document may take in addition to two looks at the queue.
const EACH: Duration = Duration::from_millis(650);

/// A worker that has finished a document goes on with the next one at once.
async fn a_backlog_drains_without_pauses(cx: &Context) -> CheckResult {
    let allowed = cx.contract().timing.poll_interval * 2 + EACH;
    two_looks(async || {
        let short = drain(cx, SHORT).await?;
        let before = ProcessorTime::now(cx)?;
        let long = drain(cx, LONG).await?;
        // The workers that drained the backlog are new processes.
        let now = ProcessorTime::now(cx)?;
        let worked = (now.api.saturating_sub(before.api) + now.workers) / LONG;
        let each = long.saturating_sub(short) / (LONG - SHORT);
        let per_minute = f64::from(LONG) * 60.0 / long.as_secs_f64();
        gated(cx, "documents per minute of a worker", "documents", Better::Higher, per_minute);
        // A slow machine works all the time; a pause is time without work.
        Ok((each > allowed && worked < each / 2).then(|| {
            format!(
                "a worker needs {long:.1?} for a backlog of {LONG} documents and {short:.1?} for {SHORT}: \
                 {each:.0?} for each more, in which the services work for {worked:.0?}; at most {allowed:.0?} are expected"
            )
        }))
    })
    .await
}

/// How long a backlog of this many documents takes from the start of the workers.
async fn drain(cx: &Context, documents: u32) -> CheckResult<Duration> {
    cx.control(ControlAction::StopWorkers).await?;
    let uploads = (0..documents).map(async |_| -> CheckResult<_> {
        let pipeline = cx.pipeline()?;
        let accepted = pipeline.upload(&cx.document().build()).await?;
        Ok((pipeline, accepted))
    });
    let uploads = try_join_all(uploads).await?;
    cx.control(ControlAction::StartWorkers).await?;
    let began = Instant::now();
    let drained = async {
        let complete = uploads
            .iter()
            .map(|(pipeline, accepted)| pipeline.until_complete(accepted));
        try_join_all(complete).await?;
        Ok(began.elapsed())
    };
    let what = format!("a backlog of {documents} documents");
    cx.document_load(&what, documents, drained).await
}
