//! Samples the activity of the database of a target, and its unfinished jobs, on the clock of a load.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cutover_contract::probe::{Activity, ActivityProbe};

use super::clock::Clock;
use super::readings::Readings;
use super::series::{Kind, NotSampled, SeriesSet};

/// Why the states of sessions are not known, and the remedy.
const HIDDEN: &str = "the role of the database URL may not read the state of other sessions; grant it pg_read_all_stats";

/// Jobs are counted for at most one part in this of the time: a long table costs the database processor time.
const JOBS_PART: u32 = 20;

/// The series of a database.
#[derive(Debug)]
struct Database {
    sessions: SeriesSet,
    waits: SeriesSet,
    locks: SeriesSet,
    jobs: SeriesSet,
    events: BTreeMap<String, u64>,
    is_hidden: bool,
    /// Why there are no jobs, if there are none.
    no_jobs: &'static str,
}

impl Database {
    fn new(knows_jobs: bool) -> Self {
        Self {
            sessions: SeriesSet::of_counts(),
            waits: SeriesSet::of_counts(),
            locks: SeriesSet::of_counts(),
            jobs: SeriesSet::of_counts(),
            events: BTreeMap::new(),
            is_hidden: false,
            no_jobs: if knows_jobs {
                "the database did not answer in time, or the role may not read the table of jobs"
            } else {
                "contract.database.tables.jobs is \"none\""
            },
        }
    }

    fn add(&mut self, at: Duration, activity: Activity) {
        let locks = ("locks not granted".to_owned(), activity.locks_not_granted);
        self.locks.add(at, counts([locks]));
        // A part of the sessions says nothing about the others.
        if activity.hidden > 0 {
            self.is_hidden = true;
            return;
        }
        let states = ["active", "idle", "idle in transaction"];
        let mut sessions: BTreeMap<String, u64> = states
            .iter()
            .map(|state| ((*state).to_owned(), 0))
            .collect();
        sessions.extend(activity.sessions);
        let named = sessions
            .into_iter()
            .map(|(state, n)| (format!("sessions {state}"), n));
        self.sessions.add(at, counts(named));
        let mut waits: BTreeMap<String, u64> = BTreeMap::new();
        for wait in activity.waits {
            *waits.entry(format!("waits for {}", wait.kind)).or_default() += wait.sessions;
            let event = format!("{}: {}", wait.kind, wait.event);
            *self.events.entry(event).or_default() += wait.sessions;
        }
        self.waits.add(at, counts(waits));
    }

    fn add_jobs(&mut self, at: Duration, by_status: BTreeMap<String, u64>) {
        let all = ("unfinished jobs".to_owned(), by_status.values().sum());
        let named = by_status
            .into_iter()
            .map(|(status, n)| (format!("jobs in {status}"), n));
        self.jobs.add(at, counts(named.chain([all])));
    }

    fn finish(self) -> Readings {
        let mut not_sampled = Vec::new();
        if self.jobs.len() == 0 {
            not_sampled.push(NotSampled::new("jobs", self.no_jobs));
        }
        if self.locks.len() == 0 {
            let reason = "the database did not answer in time";
            not_sampled.push(NotSampled::new("sessions, waits and locks", reason));
        } else if self.is_hidden {
            not_sampled.push(NotSampled::new("sessions and waits", HIDDEN));
        }
        let series = [self.sessions, self.waits, self.locks, self.jobs];
        Readings {
            series: series.into_iter().flat_map(SeriesSet::finish).collect(),
            waits: self.events,
            not_sampled,
            ..Readings::default()
        }
    }
}

fn counts(
    named: impl IntoIterator<Item = (String, u64)>,
) -> impl Iterator<Item = (String, Kind, f64)> {
    let value = |count: u64| super::summary::exact(count);
    named
        .into_iter()
        .map(move |(name, count)| (name, Kind::Gauge, value(count)))
}

/// Samples a database until the load has ended.
pub(super) async fn sample(mut probe: ActivityProbe, mut clock: Clock) -> Readings {
    let mut database = Database::new(probe.knows_jobs());
    let mut jobs_from = Duration::ZERO;
    while let Some(at) = clock.tick().await {
        if let Some(activity) = probe.activity().await {
            database.add(at, activity);
        }
        if at < jobs_from {
            continue;
        }
        let began = Instant::now();
        if let Some(jobs) = probe.unfinished_jobs().await {
            database.add_jobs(at, jobs);
        }
        jobs_from = at + began.elapsed() * JOBS_PART;
    }
    probe.close().await;
    database.finish()
}

#[cfg(test)]
mod tests {
    use cutover_contract::probe::Wait;

    use super::*;

    fn activity(state: &str, event: &str) -> Activity {
        Activity {
            sessions: BTreeMap::from([(state.to_owned(), 2)]),
            waits: vec![Wait {
                kind: "Lock".to_owned(),
                event: event.to_owned(),
                sessions: 1,
            }],
            locks_not_granted: 1,
            hidden: 0,
        }
    }

    fn samples<'a>(sampled: &'a Readings, name: &str) -> &'a [(f64, f64)] {
        let found = sampled.series.iter().find(|series| series.name == name);
        found.map_or(&[], |series| &series.samples)
    }

    #[test]
    fn sessions_waits_and_locks_are_series() {
        let mut database = Database::new(true);
        database.add(Duration::ZERO, activity("active", "tuple"));
        database.add(
            Duration::from_secs(1),
            activity("fastpath function call", "tuple"),
        );
        database.add(Duration::from_secs(2), activity("active", "relation"));
        let sampled = database.finish();
        assert_eq!(
            samples(&sampled, "sessions active"),
            [(0.0, 2.0), (1.0, 0.0), (2.0, 2.0)]
        );
        assert_eq!(samples(&sampled, "sessions idle in transaction").len(), 3);
        assert_eq!(
            samples(&sampled, "waits for Lock"),
            [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]
        );
        assert_eq!(samples(&sampled, "locks not granted").len(), 3);
        assert_eq!(sampled.waits["Lock: tuple"], 2);
        assert_eq!(sampled.not_sampled[0].what, "jobs");
    }

    #[test]
    fn hidden_sessions_are_a_gap_with_a_reason() {
        let mut database = Database::new(true);
        let hidden = Activity {
            hidden: 3,
            ..activity("active", "tuple")
        };
        database.add(Duration::ZERO, hidden);
        let sampled = database.finish();
        assert_eq!(samples(&sampled, "sessions active"), []);
        assert_eq!(samples(&sampled, "locks not granted"), [(0.0, 1.0)]);
        let reason = &sampled.not_sampled[1].reason;
        assert!(
            reason.starts_with("not sampled: ") && reason.contains("pg_read_all_stats"),
            "{reason}"
        );
    }

    #[test]
    fn a_database_that_never_answers_is_named() {
        let sampled = Database::new(true).finish();
        assert_eq!(sampled.series, []);
        assert!(
            sampled
                .not_sampled
                .iter()
                .all(|not| not.reason.contains("did not answer"))
        );
    }
}
