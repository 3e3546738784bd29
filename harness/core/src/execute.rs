//! One trial, from its first journal line to its last: the same for every front end.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_reports::record::{Event, Finding, Outcome};
use futures::FutureExt as _;
use tokio::runtime::Handle;

use crate::context::Context;
use crate::lane::SutClients;
use crate::run_directory::RunDirectory;
use crate::suite::Case;
use cutover_contract::probe::StallAwareDeadline;
use cutover_evidence::interrupt::Interrupt;
use cutover_evidence::journal::Recorder;
use cutover_evidence::stop::{CheckResult, Stop};

/// How long a trial may take to clean up behind itself; beyond its own time.
const CLEAN_UP_WITHIN: Duration = Duration::from_secs(5);

/// How a trial ended, for whoever shows it.
#[derive(Debug)]
pub struct TrialResult {
    /// How it ended.
    pub outcome: Outcome,
    /// The finding, if there is one.
    pub finding: Option<Finding>,
    /// How long the check itself took, without waiting for its lane.
    pub duration: Duration,
}

/// What all trials of a run share.
pub struct TrialEnv<'a> {
    /// The runtime on which trials run.
    pub runtime: &'a Handle,
    /// Where they are recorded.
    pub directory: &'a RunDirectory,
    /// The request to stop.
    pub interrupt: &'a Interrupt,
    /// The seed of the run.
    pub seed: u64,
}

/// Runs a check once. `lane` waits for a stack; that wait does not count in the
/// check's time.
pub fn execute(
    case: &Case,
    around: &TrialEnv<'_>,
    lane: impl AsyncFnOnce() -> anyhow::Result<Arc<SutClients>>,
) -> TrialResult {
    let (recorder, attempt) = match around.directory.trial(&case.id) {
        Ok(opened) => opened,
        Err(error) => {
            return TrialResult::unanswered(anyhow::Error::new(error).context("start the trial"));
        }
    };
    recorder.write(Event::Started {
        check: case.id.clone(),
        attempt,
    });
    let mut executed = match around.runtime.block_on(lane()) {
        Ok(lane) => {
            let seed = format!("{}/{}/{attempt}", around.seed, case.id);
            let cx = Context::new(case.check.declared(), lane, recorder.clone(), &seed);
            attempt_once(case, &cx, around)
        }
        Err(error) => TrialResult::unanswered(error.context("no stack to run on")),
    };
    finish(&mut executed, &recorder);
    executed
}

/// Runs the body, bounded in time, with its panics caught.
fn attempt_once(case: &Case, cx: &Context, around: &TrialEnv<'_>) -> TrialResult {
    let begin = Instant::now();
    let patience = StallAwareDeadline::new(case.check.timeout);
    let result = around.runtime.block_on(async {
        let body = AssertUnwindSafe(case.body.run(cx)).catch_unwind();
        tokio::select! {
            ended = patience.run(body) => match ended {
                Some(Ok(result)) => result,
                Some(Err(panic)) => Err(Stop::Error(panicked(panic.as_ref()))),
                None => Err(Stop::Error(timed_out(case.check.timeout))),
            },
            by = around.interrupt.asked() => Err(Stop::Error(anyhow::anyhow!("interrupted by {by}"))),
        }
    });
    let duration = begin.elapsed();
    // What it cannot clean up in time stays: that is not what it is about.
    let cleaning = async { tokio::time::timeout(CLEAN_UP_WITHIN, cx.clean_up()).await };
    let _ = around.runtime.block_on(cleaning);
    let mut executed = TrialResult::from_result(result, duration);
    if let Err(error) = around.runtime.block_on(cx.put_back()) {
        // What comes after it would be judged on a system that is not what it was.
        around
            .interrupt
            .ask("cutover: the target could not be put back as it was");
        if matches!(executed.outcome, Outcome::Passed) {
            executed = TrialResult::unanswered(error.context("put the target back"));
        }
    }
    executed
}

/// Writes the end of the journal. A record that could not be written is no record.
fn finish(executed: &mut TrialResult, recorder: &Recorder) {
    if let Some(finding) = &executed.finding {
        recorder.record_finding(finding.clone());
    }
    recorder.write(Event::Finished {
        outcome: executed.outcome.clone(),
        duration_ms: executed.duration.as_secs_f64() * 1e3,
    });
    if let Some(failure) = recorder.take_failure() {
        *executed =
            TrialResult::unanswered(anyhow::Error::new(failure).context("record the trial"));
    }
}

fn panicked(payload: &(dyn Any + Send)) -> anyhow::Error {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a payload that is not text");
    anyhow::anyhow!("the check panicked: {message}")
}

fn timed_out(after: Duration) -> anyhow::Error {
    anyhow::anyhow!("timed out after {} s", after.as_secs_f64())
}

impl TrialResult {
    fn unanswered(error: anyhow::Error) -> Self {
        Self::from_result(Err(Stop::Error(error)), Duration::ZERO)
    }

    fn from_result(result: CheckResult, duration: Duration) -> Self {
        let (outcome, finding) = match result {
            Ok(()) => (Outcome::Passed, None),
            Err(Stop::Violated(finding)) => (Outcome::Failed, Some(*finding)),
            Err(Stop::Error(error)) => (
                Outcome::Errored {
                    cause: format!("{error:#}"),
                },
                None,
            ),
            Err(Stop::Skip { class, reason }) => (Outcome::Skipped { class, reason }, None),
        };
        Self {
            outcome,
            finding,
            duration,
        }
    }
}
