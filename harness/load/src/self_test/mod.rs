//! Measurements whose results are known, so that the load generator proves its own clock.

mod server;

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use crate::{Constant, Load, Report, Request, Stop};
pub use server::{Behaviour, TestServer};

/// A measurement with a known result.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTestResult {
    /// What was measured, with its unit.
    pub what: &'static str,
    /// The known result.
    pub expected: f64,
    /// What the load generator measured; `None` if it could not.
    pub measured: Option<f64>,
    /// The largest difference that is allowed.
    pub tolerance: f64,
}

impl SelfTestResult {
    /// Whether the load generator measured the known result.
    pub fn holds(&self) -> bool {
        let difference = self.measured.map(|measured| measured - self.expected);
        difference.is_some_and(|difference| difference.abs() <= self.tolerance)
    }
}

/// Makes all measurements, each against a server of this process; takes less than four seconds.
///
/// The measurement of the stall mostly waits: the others are made meanwhile, one after the other.
pub fn run() -> Vec<SelfTestResult> {
    thread::scope(|scope| {
        let stall = scope.spawn(stall);
        let mut results = vec![known_delay(), overload()];
        results.extend(stall.join().unwrap_or_else(|panic| resume_unwind(panic)));
        results
    })
}

/// The same, one after the other: nothing that is measured disturbs another measurement.
pub fn run_one_by_one() -> Vec<SelfTestResult> {
    let mut results = vec![known_delay(), overload()];
    results.extend(stall());
    results
}

/// A load that cannot be run is a result that does not hold.
fn measure(
    server: &TestServer,
    connections: usize,
    rate: f64,
    duration: Duration,
    drain: Duration,
) -> Option<Report> {
    let load = Load {
        connections,
        drain,
        ..Load::new(Request::get(&server.url()).ok()?)
    };
    let pacer = Constant::new(rate, duration).ok()?;
    load.open(&pacer, &Stop::default()).ok()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Response time at a quantile, in milliseconds.
fn response(report: Option<&Report>, share: f64) -> Option<f64> {
    let total = report?.total().ok()?;
    Some(milliseconds(total.response.quantile(share)?.value))
}

/// A server that holds each request for 10 ms and measures how long it really did.
fn known_delay() -> SelfTestResult {
    let delay = Duration::from_millis(10);
    let server = TestServer::start(Behaviour::Delay(delay)).ok();
    let report = server.as_ref().and_then(|server| {
        let second = Duration::from_millis(800);
        measure(server, 16, 500.0, second, Duration::from_secs(1))
    });
    let held = server.and_then(|server| server.median_hold());
    SelfTestResult {
        what: "median response time of a server that holds for 10 ms, ms",
        expected: milliseconds(held.unwrap_or(delay)),
        measured: response(report.as_ref(), 0.5),
        // A busy machine adds some milliseconds; the benchmark measures the error of an idle one.
        tolerance: 5.0,
    }
}

/// A server that does not answer for one of 2.5 seconds. A request that is due at a time in that second
/// waits for the rest of it, so the slowest share `1 − q` of all requests waits for `1 − 2.5 (1 − q)`
/// seconds or more.
fn stall() -> Vec<SelfTestResult> {
    let duration = Duration::from_millis(2_500);
    let behaviour = Behaviour::Stall {
        after: Duration::from_millis(500),
        lasts: Duration::from_secs(1),
    };
    let server = TestServer::start(behaviour).ok();
    let report =
        server.and_then(|server| measure(&server, 64, 200.0, duration, Duration::from_secs(1)));
    let quantiles = [
        ("p90 under a stall of 1 s, ms", 0.9),
        ("p95 under a stall of 1 s, ms", 0.95),
        ("p99 under a stall of 1 s, ms", 0.99),
    ];
    let results = quantiles.map(|(what, share)| {
        let expected = 1e3 - milliseconds(duration) * (1.0 - share);
        SelfTestResult {
            what,
            expected,
            measured: response(report.as_ref(), share),
            tolerance: 0.05 * expected,
        }
    });
    results.into()
}

/// 2000 requests per second to a server that can answer 800, without time to drain.
fn overload() -> SelfTestResult {
    let server = TestServer::start(Behaviour::Delay(Duration::from_millis(10))).ok();
    let report = server.and_then(|server| {
        let duration = Duration::from_millis(400);
        measure(&server, 8, 2_000.0, duration, Duration::ZERO)
    });
    SelfTestResult {
        what: "requests of 800 with an outcome, at 2.5 times the capacity",
        expected: 800.0,
        measured: report.map(|report| crate::pacer::exact(report.account().accounted())),
        tolerance: 0.0,
    }
}
