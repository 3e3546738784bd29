//! Polls a condition until it holds or a deadline passes, and records the last state.

use std::time::Duration;

use cutover_reports::record::{Evidence, Finding, Wait};
use tokio::time::Instant;

use super::deadline::StallAwareDeadline;
use cutover_evidence::journal::Recorder;
use cutover_evidence::stop::{CheckResult, Stop};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// The result of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll<T> {
    /// The condition holds.
    Ready(T),
    /// The condition does not hold yet; the text describes the current state.
    Pending(String),
}

/// The return type of a poll function: a [`Poll`], or an `Option` if the current state needs no description.
pub trait IntoPoll {
    /// The value once the condition holds.
    type Ready;

    /// Converts the value.
    fn into_poll(self) -> Poll<Self::Ready>;
}

impl<T> IntoPoll for Poll<T> {
    type Ready = T;

    fn into_poll(self) -> Poll<T> {
        self
    }
}

impl<T> IntoPoll for Option<T> {
    type Ready = T;

    fn into_poll(self) -> Poll<T> {
        self.map_or_else(|| Poll::Pending("nothing".to_owned()), Poll::Ready)
    }
}

/// Polls a condition until it holds; a finding if it does not hold before the deadline.
///
/// The first poll is immediate, and the last one is at the deadline or later, so that a
/// condition that holds just in time is seen. A poll that stops the check ends the wait.
pub async fn eventually<S: IntoPoll>(
    recorder: &Recorder,
    what: &str,
    within: Duration,
    mut poll: impl AsyncFnMut() -> CheckResult<S>,
) -> CheckResult<S::Ready> {
    let (started, deadline) = (Instant::now(), StallAwareDeadline::new(within));
    let mut pause = FIRST_PAUSE;
    let mut attempts = 0;
    let record = |attempts, satisfied, last: &str| {
        recorder.record(Evidence::Wait(Wait {
            what: what.to_owned(),
            elapsed_ms: started.elapsed().as_secs_f64() * 1e3,
            attempts,
            satisfied,
            last: last.to_owned(),
        }));
    };
    loop {
        attempts += 1;
        let is_last = deadline.left().is_zero();
        let polled = match poll().await {
            Ok(polled) => polled.into_poll(),
            Err(stop) => {
                record(attempts, false, Wait::STOPPED);
                return Err(stop);
            }
        };
        match polled {
            Poll::Ready(value) => {
                record(attempts, true, "the condition holds");
                return Ok(value);
            }
            Poll::Pending(last) if is_last => {
                record(attempts, false, &last);
                return Err(timed_out(what, within, &last));
            }
            Poll::Pending(_) => {}
        }
        tokio::time::sleep(pause.min(deadline.left())).await;
        pause = (pause * 3 / 2).min(MAX_PAUSE);
    }
}

fn timed_out(what: &str, within: Duration, last: &str) -> Stop {
    let summary = format!("{what}: not within {}", humantime::format_duration(within));
    Stop::violated(Finding::new(summary).comparing(what, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_holds_is_seen_immediately() {
        let started = Instant::now();
        let value = eventually(
            &Recorder::silent(),
            "condition",
            Duration::ZERO,
            async || Ok(Some(1)),
        )
        .await;
        assert_eq!(value.unwrap(), 1);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_holds_at_the_deadline_is_seen() {
        let started = Instant::now();
        let within = Duration::from_secs(3);
        let poll = async || Ok((started.elapsed() >= within).then_some(()));
        eventually(&Recorder::silent(), "condition", within, poll)
            .await
            .unwrap();
        assert_eq!(started.elapsed(), within);
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_never_holds_is_a_finding_with_the_last_state() {
        let started = Instant::now();
        let poll = async || Ok(Poll::<()>::Pending("job is queued".to_owned()));
        let stop = eventually(
            &Recorder::silent(),
            "the job is complete",
            Duration::from_secs(2),
            poll,
        )
        .await;
        let Err(Stop::Violated(finding)) = stop else {
            panic!("expected a finding, not {stop:?}")
        };
        assert_eq!(finding.summary, "the job is complete: not within 2s");
        assert_eq!(finding.actual.as_deref(), Some("job is queued"));
        assert_eq!(started.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_stops_the_check_ends_the_wait() {
        let poll = async || CheckResult::<Option<()>>::Err(Stop::not_applicable("no such thing"));
        let stop = eventually(
            &Recorder::silent(),
            "condition",
            Duration::from_secs(2),
            poll,
        )
        .await;
        assert!(matches!(stop, Err(Stop::Skip { .. })));
    }
}
