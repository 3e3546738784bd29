//! Waits for a condition with a deadline: looks at once, looks again, and says what it saw last.

use std::time::Duration;

use cutover_reports::record::{Evidence, Finding, Wait};
use tokio::time::Instant;

use super::deadline::StallAwareDeadline;
use cutover_evidence::journal::Recorder;
use cutover_evidence::stop::{CheckResult, Stop};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What one look showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll<T> {
    /// What was awaited.
    Ready(T),
    /// Something else, in words for a person.
    Pending(String),
}

/// What a look may return: a [`Poll`], or an `Option` where there is nothing to say about *not yet*.
pub trait IntoPoll {
    /// What is awaited.
    type Ready;

    /// What the look showed.
    fn look(self) -> Poll<Self::Ready>;
}

impl<T> IntoPoll for Poll<T> {
    type Ready = T;

    fn look(self) -> Poll<T> {
        self
    }
}

impl<T> IntoPoll for Option<T> {
    type Ready = T;

    fn look(self) -> Poll<T> {
        self.map_or_else(|| Poll::Pending("nothing".to_owned()), Poll::Ready)
    }
}

/// Looks until it sees what is awaited; it is a finding when that never happens.
///
/// The first look is immediate and the last is not before the deadline, so that
/// what comes just in time is seen. A look that stops the check ends the wait.
pub async fn eventually<S: IntoPoll>(
    recorder: &Recorder,
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> CheckResult<S>,
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
        let seen = match look().await {
            Ok(sight) => sight.look(),
            Err(stop) => {
                record(attempts, false, "the look itself came to nothing");
                return Err(stop);
            }
        };
        match seen {
            Poll::Ready(seen) => {
                record(attempts, true, "what was awaited");
                return Ok(seen);
            }
            Poll::Pending(last) if is_last => {
                record(attempts, false, &last);
                return Err(missed(what, within, &last));
            }
            Poll::Pending(_) => {}
        }
        tokio::time::sleep(pause.min(deadline.left())).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn missed(what: &str, within: Duration, last: &str) -> Stop {
    let summary = format!("{what}: not within {}", humantime::format_duration(within));
    Stop::violated(Finding::new(summary).comparing(what, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_seen_at_once() {
        let started = Instant::now();
        let seen = eventually(&Recorder::silent(), "it", Duration::ZERO, async || {
            Ok(Some(1))
        })
        .await;
        assert_eq!(seen.unwrap(), 1);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_at_the_deadline_is_seen() {
        let started = Instant::now();
        let within = Duration::from_secs(3);
        let look = async || Ok((started.elapsed() >= within).then_some(()));
        eventually(&Recorder::silent(), "it", within, look)
            .await
            .unwrap();
        assert_eq!(started.elapsed(), within);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_is_a_finding_that_says_what_was_seen() {
        let started = Instant::now();
        let look = async || Ok(Poll::<()>::Pending("job is queued".to_owned()));
        let stop = eventually(
            &Recorder::silent(),
            "the job is complete",
            Duration::from_secs(2),
            look,
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
    async fn a_look_that_stops_ends_the_wait() {
        let look = async || CheckResult::<Option<()>>::Err(Stop::not_applicable("no such thing"));
        let stop = eventually(&Recorder::silent(), "it", Duration::from_secs(2), look).await;
        assert!(matches!(stop, Err(Stop::Skip { .. })));
    }
}
