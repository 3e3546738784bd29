//! Processor: a request needs little of it.

use std::time::Duration;

use cutover_harness::prelude::*;

use crate::looks::two_looks;
use crate::measured::{Better, gated};
use crate::requests::{Asked, Kind};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(requests_need_little_processor)
            .requires([Http, Processes])
            .calls([Endpoint::Job])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The processor time that the services of a stack have used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessorTime {
    pub(crate) api: Duration,
    pub(crate) workers: Duration,
}

impl ProcessorTime {
    /// What they have used so far.
    pub(crate) fn now(cx: &Context) -> CheckResult<Self> {
        let stack = cx.processes()?;
        let workers = stack.workers();
        let api = stack.api().processor_time();
        if api.is_zero() {
            let reason = "the processor time of processes cannot be read on this system";
            return Err(Stop::not_applicable(reason));
        }
        Ok(Self {
            api,
            workers: workers.iter().map(|worker| worker.processor_time()).sum(),
        })
    }

    /// What they have used since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            api: self.api.saturating_sub(before.api),
            workers: self.workers.saturating_sub(before.workers),
        }
    }
}

/// The requests that are measured, and how many of them in a second.
const MEASURED: Duration = secs(2);
const PER_SECOND: f64 = 100.0;

/// What a request may need. A service in an interpreted language needs a quarter of it.
const PER_REQUEST: Duration = Duration::from_millis(25);

/// A request for a job needs little processor time of the API.
async fn requests_need_little_processor(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    two_looks(async || {
        let before = ProcessorTime::now(cx)?;
        let report = asked.open(Kind::Job, PER_SECOND, MEASURED).await?;
        let used = ProcessorTime::now(cx)?.since(&before).api;
        let answered = report.account().ok;
        ensure!(
            answered > 0,
            "no request for a job is answered at {PER_SECOND} requests per second"
        );
        let each = used / u32::try_from(answered).unwrap_or(u32::MAX);
        let milliseconds = each.as_secs_f64() * 1e3;
        gated(cx, "processor per request", "ms", Better::Lower, milliseconds);
        Ok((each > PER_REQUEST).then(|| {
            format!("a request for a job needs {milliseconds:.1} ms of processor time; at most {PER_REQUEST:?} is expected")
        }))
    })
    .await
}
