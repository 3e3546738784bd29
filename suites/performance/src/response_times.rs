//! Response times: no request waits for a stall of the service, for others, for an upload, or because it is the first for a while.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::load_generator::Report;
use cutover_harness::prelude::*;
use cutover_suite_support::own_database::pass;
use futures::future::{join, try_join_all};

use crate::looks::two_looks;
use crate::measured::{Better, as_float, gated, measured, median, quantile, response_at_p95};
use crate::requests::{Asked, Kind};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    let timed = |check: Check, takes| {
        check
            .requires([Http])
            .effect(Effect::Load)
            .expected_duration(takes)
            .severity(High)
            .measures()
    };
    vec![
        timed(check!(no_stall_delays_requests), secs(11)),
        timed(check!(requests_succeed_under_load), secs(4)),
        timed(check!(a_pause_delays_no_request), secs(7)).calls([Endpoint::Job]),
        timed(check!(a_large_upload_delays_no_other_request), secs(3)),
    ]
}

/// The longest response time at p95.
const TAIL: Duration = Duration::from_millis(500);

/// The generator lag at p99 above which a measurement says nothing about the service.
const LAG: Duration = Duration::from_millis(50);

/// How often a measurement is repeated while the generator is late.
const REPEATS: usize = 3;

/// How long a stall is looked for: two of those that come every five seconds.
const WATCHED: Duration = Duration::from_millis(10_500);

/// The highest rate of each kind of request, the lowest, and the share of the time in which the service is busy. A
/// slow service gets fewer requests: how many it can answer is not the question.
const PER_SECOND: f64 = 8.0;
const FEWEST: f64 = 2.0;
const BUSY: f64 = 0.2;

/// How long requests are sent back to back on one connection, to learn how long one takes.
const LEARNED: Duration = Duration::from_millis(300);

/// Requests that are due at a constant rate are answered in time. Each kind is watched at the same time.
async fn no_stall_delays_requests(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let kinds: Vec<Kind> = asked.kinds().collect();
    let mut busy = Duration::ZERO;
    for kind in &kinds {
        busy += quantile(&asked.closed(*kind, 1, LEARNED).await?, 0.5)?.value;
    }
    let per_second = (BUSY / busy.as_secs_f64())
        .clamp(FEWEST, PER_SECOND)
        .floor();
    two_looks(async || {
        let reports = measured_in_time(async || {
            let loads = kinds
                .iter()
                .map(|kind| asked.open(*kind, per_second, WATCHED));
            try_join_all(loads).await
        })
        .await?;
        let mut slow = Vec::new();
        for (kind, report) in kinds.iter().zip(&reports) {
            let tail = response_at_p95(cx, kind.what(), report)?;
            if tail.value > TAIL {
                slow.push(format!("{} takes {tail} ms at p95", kind.what()));
            }
        }
        Ok((!slow.is_empty()).then(|| {
            format!(
                "at {per_second} requests per second of each kind, {}; at most {} ms is expected",
                slow.join(", "),
                TAIL.as_millis()
            )
        }))
    })
    .await
}

/// Measures again while the generator is late.
async fn measured_in_time(
    measure: impl AsyncFn() -> CheckResult<Vec<Report>>,
) -> CheckResult<Vec<Report>> {
    let mut late = None;
    for _ in 0..REPEATS {
        let reports = measure().await?;
        late = None;
        for report in &reports {
            let total = report.total().map_err(anyhow::Error::from)?;
            late = late.max(total.generator_lag.quantile(0.99).map(|lag| lag.value));
        }
        if late.is_none_or(|late| late <= LAG) {
            return Ok(reports);
        }
    }
    let late = late.unwrap_or_default();
    Err(anyhow::anyhow!(
        "the machine is too busy to measure: {REPEATS} times, requests were sent {late:.0?} late at p99"
    )
    .into())
}

/// The connections that send back to back, and for how long.
const CONNECTIONS: usize = 24;
const LOADED: Duration = secs(2);

/// The share of requests that must succeed.
const SUCCESS: f64 = 0.99;

/// The median response time with this many connections: half a second, or one and a half times what requests take
/// that are answered one after the other.
const MEDIAN: Duration = Duration::from_millis(500);
const IN_TURN: f64 = 1.5 * 24.0;

/// Many clients at a time get answers, and in time.
async fn requests_succeed_under_load(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let kinds: Vec<Kind> = asked
        .kinds()
        .filter(|kind| matches!(kind, Kind::Job | Kind::List))
        .collect();
    two_looks(async || {
        let mut wrong = None;
        let mut successes = Vec::new();
        for kind in &kinds {
            let one = asked.closed(*kind, 1, LEARNED).await?;
            if one.account().ok == 0 {
                // The request needs more than its route says; that is the matter of other checks.
                continue;
            }
            let alone = quantile(&one, 0.5)?;
            let allowed = alone.value.mul_f64(IN_TURN).max(MEDIAN);
            let report = asked.closed(*kind, CONNECTIONS, LOADED).await?;
            let account = report.account();
            let success = share(account.ok, account.scheduled);
            successes.push(success);
            let per_second = as_float(account.ok) / report.elapsed.as_secs_f64();
            gated(cx, &format!("rate of {}", kind.what()), "requests/s", Better::Higher, per_second);
            let median = quantile(&report, 0.5)?;
            let what = kind.what();
            if success < SUCCESS {
                wrong = Some(format!(
                    "with {CONNECTIONS} connections, {:.1} % of {} times {what} succeed; {} % are expected",
                    success * 100.0,
                    account.scheduled,
                    SUCCESS * 100.0
                ));
            } else if median.value > allowed {
                wrong = Some(format!(
                    "with {CONNECTIONS} connections, {what} takes {median} ms at the median, and {alone} ms on one; at most {} ms is expected",
                    allowed.as_millis()
                ));
            }
        }
        let lowest = successes.into_iter().min_by(f64::total_cmp);
        let lowest = lowest.ok_or_else(|| Stop::not_applicable("no request succeeds by what its route says alone"))?;
        measured(cx, "success of requests", "%", Better::Higher, lowest * 100.0);
        Ok(wrong)
    })
    .await
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        as_float(part) / as_float(whole)
    }
}

/// How long nobody asks, and how often.
const PAUSE: Duration = Duration::from_millis(1_700);
const PAUSES: usize = 3;

/// What a request may take.
const WITHIN: Duration = secs(20);

/// The first request after a pause is answered in time.
async fn a_pause_delays_no_request(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let mut times = Vec::new();
    for _ in 0..PAUSES {
        pass(cx, "nobody asks for a while", PAUSE).await?;
        let began = Instant::now();
        let response = asked.pipeline.try_show(&asked.accepted, WITHIN).await?;
        let is_answered = response
            .as_ref()
            .is_ok_and(|response| response.status < 500);
        ensure!(
            is_answered,
            "the first request after a pause of {} s is not answered",
            PAUSE.as_secs_f64()
        );
        times.push(began.elapsed());
    }
    let median = median(times);
    measured(
        cx,
        "response after a pause",
        "ms",
        Better::Lower,
        median.as_secs_f64() * 1e3,
    );
    ensure!(
        median <= TAIL,
        "the first request after a pause of {} s takes {median:.1?}, at the median of {PAUSES}; at most {} ms is expected",
        PAUSE.as_secs_f64(),
        TAIL.as_millis()
    );
    Ok(())
}

/// The size of a large document, if the target accepts it.
const LARGE: u64 = 5_000_000;

/// While a large document is uploaded, other requests are answered in time.
async fn a_large_upload_delays_no_other_request(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let bytes = usize::try_from(LARGE.min(cx.contract().limits.max_bytes * 9 / 10)).unwrap_or(0);
    two_looks(async || {
        let (pipeline, document) = (cx.pipeline()?, cx.document().size_at_least(bytes).build());
        let upload = async {
            let began = Instant::now();
            pipeline.upload(&document).await.map(|accepted| (accepted, began.elapsed()))
        };
        let load = asked.open(Kind::Health, 50.0, secs(2));
        let (uploaded, report) = join(upload, load).await;
        let ((accepted, took), report) = (uploaded?, report?);
        measured(cx, "upload of a large document", "s", Better::Lower, took.as_secs_f64());
        pipeline.until_complete(&accepted).await?;
        // The upload is short: of the requests beside it, one in ten is enough.
        let tail = quantile(&report, 0.95)?;
        Ok((tail.value > TAIL).then(|| {
            format!(
                "while a document of {} MB is uploaded, {} takes {tail} ms at p95; at most {} ms is expected",
                bytes / 1_000_000,
                Kind::Health.what(),
                TAIL.as_millis()
            )
        }))
    })
    .await
}
