//! Overload: the rate at which requests are no longer answered in time, and what is left of an overload when it is over.

use std::time::Duration;

use cutover_harness::load_generator::Report;
use cutover_harness::prelude::*;

use crate::looks::two_looks;
use crate::measured::{Better, as_float, measured, quantile};
use crate::requests::{Asked, Kind};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_overload_leaves_nothing_behind)
            .requires([Http])
            .calls([Endpoint::Job])
            .effect(Effect::Load)
            .expected_duration(secs(8))
            .severity(High)
            .measures(),
    ]
}

/// How long one rate is tried.
const STEP: Duration = Duration::from_millis(600);

/// How many rates are tried after the first: the interval of the knee is then an eighth of the highest rate.
const STEPS: usize = 4;

/// The connections that show how many requests are answered at all, and for how long.
const CLOSED: usize = 16;
const LEARNED: Duration = Duration::from_millis(400);

/// The connections of the overload, and its length.
const CONNECTIONS: usize = 160;
const OVERLOADED: Duration = Duration::from_millis(1_500);

/// How long requests may take to be as before, the requests of one look, and what one may take longer.
const RECOVERS_WITHIN: Duration = secs(5);
const LOOK: Duration = Duration::from_millis(300);
const TIMES: f64 = 4.0;
const LONGER: Duration = Duration::from_millis(100);

/// A rate is kept if this share succeeds, if the median is at most this, and if all requests are answered in at most
/// this many times the time in which they were due.
const SUCCESS: f64 = 0.99;
const IN_TIME: Duration = Duration::from_millis(200);
const PILED_UP: f64 = 1.1;

/// After far more requests than a service can answer, requests are answered as before.
async fn an_overload_leaves_nothing_behind(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let before = asked.closed(Kind::Job, 1, LOOK).await?;
    if before.account().ok == 0 {
        let reason = "no request for a job succeeds by what its route says alone";
        return Err(Stop::not_applicable(reason));
    }
    let before = quantile(&before, 0.5)?.value;
    let (kept, exceeded) = knee(&asked).await?;
    measured(
        cx,
        "knee of requests for a job, at least",
        "requests/s",
        Better::Higher,
        kept,
    );
    if let Some(exceeded) = exceeded {
        measured(
            cx,
            "knee of requests for a job, at most",
            "requests/s",
            Better::Higher,
            exceeded,
        );
    }
    two_looks(async || {
        let overload = asked.closed(Kind::Job, CONNECTIONS, OVERLOADED).await?;
        measured(cx, "success in an overload", "%", Better::Higher, success(&overload) * 100.0);
        let allowed = before.mul_f64(TIMES).max(before + LONGER);
        let mut last = String::new();
        let as_before = async || -> CheckResult<Option<()>> {
            let report = asked.closed(Kind::Job, 1, LOOK).await?;
            let (success, median) = (success(&report), quantile(&report, 0.5)?);
            last = format!("{:.0} % succeed, with {median} ms at the median", success * 100.0);
            Ok((success >= SUCCESS && median.value <= allowed).then_some(()))
        };
        let recovered = within(RECOVERS_WITHIN, as_before).await?;
        Ok((!recovered).then(|| {
            format!(
                "{} s after {CONNECTIONS} connections sent requests for {OVERLOADED:?}, a request for a job is not as before: \
                 {last}; {before:.1?} before it",
                RECOVERS_WITHIN.as_secs()
            )
        }))
    })
    .await
}

/// Looks until something holds, or the time is over. Each look takes time of its own.
async fn within(
    time: Duration,
    mut look: impl AsyncFnMut() -> CheckResult<Option<()>>,
) -> CheckResult<bool> {
    let began = std::time::Instant::now();
    loop {
        if look().await?.is_some() {
            return Ok(true);
        }
        if began.elapsed() >= time {
            return Ok(false);
        }
    }
}

/// The highest rate that is kept, and the lowest one that was tried and is not, in requests per second: by doubling from half of
/// what is answered back to back, and by halving the interval.
async fn knee(asked: &Asked<'_>) -> CheckResult<(f64, Option<f64>)> {
    let closed = asked.closed(Kind::Job, CLOSED, LEARNED).await?;
    let answered = as_float(closed.account().ok) / closed.elapsed.as_secs_f64();
    let (mut kept, mut exceeded) = (0.0, None);
    let mut rate = (answered / 2.0).max(2.0);
    for _ in 0..=STEPS {
        if is_kept(&asked.open(Kind::Job, rate.floor(), STEP).await?)? {
            kept = rate.floor();
        } else {
            exceeded = Some(rate.floor());
        }
        rate = exceeded.map_or(kept * 2.0, |exceeded| f64::midpoint(kept, exceeded));
    }
    Ok((kept, exceeded))
}

/// Whether a rate is kept: its requests succeed, none of them waits for long, and they do not pile up.
fn is_kept(report: &Report) -> CheckResult<bool> {
    let is_in_time = quantile(report, 0.5)?.value <= IN_TIME;
    let piles_up = report.elapsed > STEP.mul_f64(PILED_UP);
    Ok(success(report) >= SUCCESS && is_in_time && !piles_up)
}

fn success(report: &Report) -> f64 {
    let account = report.account();
    as_float(account.ok) / as_float(account.scheduled.max(1))
}
