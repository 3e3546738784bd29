//! Executes one trial and records it, for every front end.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutover_reports::record::{
    CheckId, Event, Evidence, Finding, Observation, Outcome, SkipClass, Trial,
};
use cutover_reports::verdict::{Cause, cause};
use futures::FutureExt as _;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use crate::context::Context;
use crate::run_directory::RunDirectory;
use crate::suite::Case;
use crate::sut_clients::SutClients;
use cutover_contract::probe::StallAwareDeadline;
use cutover_evidence::interrupt::Interrupt;
use cutover_evidence::journal::{JournalError, Recorder};
use cutover_evidence::stop::{CheckResult, Stop};

/// The timeout of the cleanup after a trial, in addition to the timeout of its check.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The result of a trial, for a front end.
#[derive(Debug)]
pub struct TrialResult {
    /// The outcome.
    pub outcome: Outcome,
    /// The finding, if there is one.
    pub finding: Option<Finding>,
    /// Further findings, which the check reported before its end.
    pub further: Vec<Finding>,
    /// The duration of the check itself, without the wait for its stack.
    pub duration: Duration,
    /// Why it failed or has no result.
    pub cause: Option<Cause>,
    /// What the system itself reported about the finding, one line each.
    pub reported: Vec<String>,
    /// The number of observations that the check made before its cleanup, if its body ran.
    pub observations: Option<usize>,
}

/// The environment that all trials of a run share.
pub struct TrialEnv<'a> {
    /// The runtime on which trials run.
    pub runtime: &'a Handle,
    /// The run directory that records them.
    pub directory: &'a RunDirectory,
    /// The request to stop.
    pub interrupt: &'a Interrupt,
    /// The seed of the run.
    pub seed: u64,
    /// Whether a worker of an attached target is still busy with a check that has ended.
    pub busy: &'a BusyTarget,
}

/// The check whose documents still keep a worker of an attached target busy, if there is one. What runs
/// after it could not be judged.
#[derive(Debug)]
pub struct BusyTarget {
    /// Whether the target is attached. Stacks of ours have enough workers.
    is_attached: bool,
    check: Mutex<Option<CheckId>>,
}

impl BusyTarget {
    /// A target that is not busy.
    pub fn idle(is_attached: bool) -> Self {
        Self {
            is_attached,
            check: Mutex::default(),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Option<CheckId>) -> T) -> T {
        work(&mut self.check.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An error while the target is busy.
    fn ensure_idle(&self) -> anyhow::Result<()> {
        match self.with(|check| check.clone()) {
            None => Ok(()),
            Some(check) => anyhow::bail!(
                "not judged: the documents of '{check}' still keep a worker of the target busy; give the target more \
                 workers, or run that check by itself"
            ),
        }
    }

    /// Waits until the documents of an ended check keep no worker busy; otherwise the target is busy from now on.
    async fn after(&self, case: &Case, cx: &Context) {
        let occupies = !case.check.occupies.is_empty();
        if self.is_attached && occupies && !cx.settle().await {
            self.with(|check| *check = Some(case.id.clone()));
        }
    }
}

/// Runs a check once. `connect` waits for a stack; that wait does not count towards the
/// duration of the check.
pub fn execute(
    case: &Case,
    env: &TrialEnv<'_>,
    connect: impl AsyncFnOnce() -> anyhow::Result<Arc<SutClients>>,
) -> TrialResult {
    let (recorder, attempt) = match env.directory.trial(&case.id) {
        Ok(opened) => opened,
        Err(error) => {
            return TrialResult::without_result(
                anyhow::Error::new(error).context("start the trial"),
            );
        }
    };
    recorder.write(Event::Started {
        check: case.id.clone(),
        attempt,
    });
    let connected = match env.busy.ensure_idle() {
        Ok(()) => env.runtime.block_on(connect()),
        Err(busy) => Err(busy),
    };
    let mut trial = match connected {
        Ok(clients) => {
            let seed = format!("{}/{}/{attempt}", env.seed, case.id);
            let cx = Context::new(case.check.declared(), clients, recorder.clone(), &seed);
            run_body(case, &cx, env)
        }
        Err(error) => TrialResult::without_result(error.context("no system to run on")),
    };
    finish(&mut trial, &recorder);
    if matches!(trial.outcome, Outcome::Failed | Outcome::Errored { .. })
        && let Some(ended) = env.directory.read_trial(&case.id, attempt)
    {
        trial.cause = cause(&ended);
        trial.reported = reported(&ended);
    }
    trial
}

/// Records that a check is not tried because a check on which it relies has failed twice.
pub fn refuse(case: &Case, directory: &RunDirectory, reason: &str) -> Result<(), JournalError> {
    let (recorder, attempt) = directory.trial(&case.id)?;
    recorder.write(Event::Started {
        check: case.id.clone(),
        attempt,
    });
    recorder.write(Event::Finished {
        outcome: Outcome::Skipped {
            class: SkipClass::Blocked,
            reason: reason.to_owned(),
        },
        duration_ms: 0.0,
        observations: None,
    });
    recorder.take_failure().map_or(Ok(()), Err)
}

/// Runs the body with a timeout, catches its panics, then cleans up and restores the target.
fn run_body(case: &Case, cx: &Context, env: &TrialEnv<'_>) -> TrialResult {
    let begin = Instant::now();
    let began_at = OffsetDateTime::now_utc();
    let deadline = StallAwareDeadline::new(case.check.timeout);
    let result = env.runtime.block_on(async {
        let body = AssertUnwindSafe(case.body.run(cx)).catch_unwind();
        tokio::select! {
            ended = deadline.run(body) => match ended {
                Some(Ok(result)) => result,
                Some(Err(panic)) => Err(Stop::Error(panicked(panic.as_ref()))),
                None => Err(Stop::Error(timed_out(case.check.timeout))),
            },
            by = env.interrupt.asked() => Err(Stop::Error(anyhow::anyhow!("interrupted by {by}"))),
        }
    });
    let duration = begin.elapsed();
    let mut trial = TrialResult::from_result(result, duration).with_reported(cx.take_reported());
    trial.observations = Some(cx.recorder().observations());
    if let Some(finding) = &trial.finding {
        let finding = env
            .runtime
            .block_on(explained(finding.clone(), cx, began_at));
        cx.recorder().record_finding(finding);
    } else if matches!(trial.outcome, Outcome::Errored { .. }) {
        env.runtime.block_on(cx.observe_refusals(began_at));
    }
    for finding in &trial.further {
        cx.recorder().record_finding(finding.clone());
    }
    env.runtime.block_on(env.busy.after(case, cx));
    // Leftovers after a slow cleanup are swept later; they must not fail this check.
    let cleanup = async { tokio::time::timeout(CLEANUP_TIMEOUT, cx.clean_up()).await };
    let _ = env.runtime.block_on(cleanup);
    if let Err(error) = env.runtime.block_on(cx.restore()) {
        // Later checks would run on a changed system, so the run stops.
        env.interrupt
            .ask("cutover, because the target could not be restored");
        if matches!(trial.outcome, Outcome::Passed) {
            trial = TrialResult::without_result(error.context("restore the target"));
        }
    }
    trial
}

/// A finding with the observation that deviates, and with what the system itself reports about it.
async fn explained(mut finding: Finding, cx: &Context, began_at: OffsetDateTime) -> Finding {
    let before = cx.recorder().observations();
    finding.observation = finding.observation.or(before.checked_sub(1));
    cx.diagnose().await;
    cx.observe_refusals(began_at).await;
    finding.context.extend(before..cx.recorder().observations());
    finding
}

/// What the system itself reported about the first finding.
fn reported(trial: &Trial) -> Vec<String> {
    let finding = trial.findings.first();
    let context = finding.into_iter().flat_map(|it| trial.context(it));
    let line = |evidence: &Evidence| match evidence {
        Evidence::Observed(Observation {
            surface, summary, ..
        }) => Some(format!("{surface}: {summary}")),
        Evidence::Http(_) | Evidence::Sql(_) | Evidence::Wait(_) => None,
    };
    context.filter_map(line).collect()
}

/// Writes the end of the journal. A trial whose record is incomplete has no result.
fn finish(trial: &mut TrialResult, recorder: &Recorder) {
    recorder.write(Event::Finished {
        outcome: trial.outcome.clone(),
        duration_ms: trial.duration.as_secs_f64() * 1e3,
        observations: trial.observations,
    });
    if let Some(failure) = recorder.take_failure() {
        *trial =
            TrialResult::without_result(anyhow::Error::new(failure).context("record the trial"));
    }
}

fn panicked(payload: &(dyn Any + Send)) -> anyhow::Error {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a payload that is not text");
    anyhow::anyhow!("the check panicked: {message}")
}

fn timed_out(after: Duration) -> anyhow::Error {
    anyhow::anyhow!("timed out after {} s", after.as_secs_f64())
}

impl TrialResult {
    fn without_result(error: anyhow::Error) -> Self {
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
            further: Vec::new(),
            duration,
            cause: None,
            reported: Vec::new(),
            observations: None,
        }
    }

    /// The result with the findings that the check reported. With any of them it has failed; the
    /// finding that ended the check is the first one.
    fn with_reported(mut self, reported: Vec<Finding>) -> Self {
        let mut reported = reported.into_iter();
        if self.finding.is_none() {
            self.finding = reported.next();
        }
        if self.finding.is_some() {
            self.outcome = Outcome::Failed;
        }
        self.further = reported.collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_with_a_reported_finding_has_failed_and_its_essential_finding_is_first() {
        let [essential, minor] = ["essential", "minor"].map(Finding::new);
        let passed = TrialResult::from_result(Ok(()), Duration::ZERO);
        let failed = passed.with_reported(vec![minor.clone()]);
        assert!(matches!(failed.outcome, Outcome::Failed));
        assert_eq!(failed.finding.unwrap().summary, "minor");
        let stopped = Err(Stop::violated(essential));
        let stopped = TrialResult::from_result(stopped, Duration::ZERO).with_reported(vec![minor]);
        assert_eq!(stopped.finding.unwrap().summary, "essential");
        assert_eq!(stopped.further.len(), 1);
        let clean = TrialResult::from_result(Ok(()), Duration::ZERO).with_reported(Vec::new());
        assert!(matches!(clean.outcome, Outcome::Passed));
    }
}
