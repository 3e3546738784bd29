//! What a load measured: an account and three series, in total by phase and per second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hit::Hit;
use crate::{Account, Series, SeriesError};

/// Reports that are not of one load.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Their phases differ.
    #[error("merge reports whose phases differ; merge shards of one load only")]
    Phases,
    /// Their histograms cannot be added.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

/// The account and the series of one part of a load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// What became of every request.
    pub account: Account,
    /// From when a request was due until its response.
    pub response: Series,
    /// From when a request was sent until its response.
    pub service: Series,
    /// From when a request was due until it was sent.
    pub lag: Series,
    /// The part of the lag during which a connection was free: the generator was late.
    pub generator_lag: Series,
}

impl Measured {
    fn new(digits: u8) -> Result<Self, SeriesError> {
        Ok(Self {
            account: Account::default(),
            response: Series::new(digits)?,
            service: Series::new(digits)?,
            lag: Series::new(digits)?,
            generator_lag: Series::new(digits)?,
        })
    }

    fn record(&mut self, hit: &Hit) {
        let is_answered = hit.outcome.is_answered();
        let is_sent = hit.outcome != crate::HitOutcome::NeverSent;
        self.account.count(hit.outcome);
        self.response.record(hit.response_time(), is_answered);
        self.lag.record(hit.lag(), is_sent);
        if is_sent {
            self.service.record(hit.service_time(), is_answered);
            self.generator_lag.record(hit.generator_lag, true);
        }
    }

    fn merge(&mut self, other: &Self) -> Result<(), SeriesError> {
        self.account.merge(&other.account);
        self.response.merge(&other.response)?;
        self.service.merge(&other.service)?;
        self.lag.merge(&other.lag)?;
        self.generator_lag.merge(&other.generator_lag)
    }
}

/// The account and the response times of the requests that were due in one second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Second {
    /// What became of the requests.
    pub account: Account,
    /// From when a request was due until its response.
    pub response: Series,
}

/// What a load measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// When each phase ends, except the last.
    phase_ends: Vec<Duration>,
    /// The phases, in order. A request belongs to the phase in which it was due.
    pub phases: Vec<Measured>,
    /// Every second; a request belongs to the second in which it was due.
    pub seconds: Vec<Second>,
    /// From the start until the last request had an outcome.
    pub elapsed: Duration,
}

impl Report {
    pub(crate) fn new(phase_ends: &[Duration]) -> Result<Self, SeriesError> {
        let phases = (0..=phase_ends.len()).map(|_| Measured::new(3));
        Ok(Self {
            phase_ends: phase_ends.to_vec(),
            phases: phases.collect::<Result<_, _>>()?,
            seconds: Vec::new(),
            elapsed: Duration::ZERO,
        })
    }

    /// Counts a request as due.
    pub(crate) fn schedule(&mut self, intended: Duration) -> Result<(), SeriesError> {
        self.phase(intended).account.scheduled += 1;
        self.second(intended)?.account.scheduled += 1;
        Ok(())
    }

    /// Adds the outcome of a request.
    pub(crate) fn record(&mut self, hit: &Hit) -> Result<(), SeriesError> {
        self.phase(hit.intended).record(hit);
        let second = self.second(hit.intended)?;
        second.account.count(hit.outcome);
        let is_answered = hit.outcome.is_answered();
        second.response.record(hit.response_time(), is_answered);
        self.elapsed = self.elapsed.max(hit.done);
        Ok(())
    }

    fn phase(&mut self, intended: Duration) -> &mut Measured {
        let ends = &self.phase_ends;
        let index = ends.iter().filter(|end| **end <= intended).count();
        &mut self.phases[index]
    }

    fn second(&mut self, intended: Duration) -> Result<&mut Second, SeriesError> {
        let index = usize::try_from(intended.as_secs()).unwrap_or(usize::MAX);
        while self.seconds.len() <= index {
            self.seconds.push(Second {
                account: Account::default(),
                response: Series::new(2)?,
            });
        }
        Ok(&mut self.seconds[index])
    }

    /// All phases together.
    pub fn total(&self) -> Result<Measured, SeriesError> {
        let mut total = Measured::new(3)?;
        for phase in &self.phases {
            total.merge(phase)?;
        }
        Ok(total)
    }

    /// The account of the whole load.
    pub fn account(&self) -> Account {
        let mut total = Account::default();
        for phase in &self.phases {
            total.merge(&phase.account);
        }
        total
    }

    /// Adds the report of another shard of the same load.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.phase_ends != other.phase_ends || self.phases.len() != other.phases.len() {
            return Err(MergeError::Phases);
        }
        for (phase, other) in self.phases.iter_mut().zip(&other.phases) {
            phase.merge(other)?;
        }
        for (index, other) in other.seconds.iter().enumerate() {
            let second = self.second(Duration::from_secs(index as u64))?;
            second.account.merge(&other.account);
            second.response.merge(&other.response)?;
        }
        self.elapsed = self.elapsed.max(other.elapsed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::HitOutcome;
    use crate::series::Recorded;

    const OUTCOMES: [HitOutcome; 9] = [
        HitOutcome::Ok,
        HitOutcome::ClientError,
        HitOutcome::ServerError,
        HitOutcome::Connect,
        HitOutcome::Reset,
        HitOutcome::Protocol,
        HitOutcome::TimedOut,
        HitOutcome::Unfinished,
        HitOutcome::NeverSent,
    ];

    fn report(hits: &[(u64, u64, usize)]) -> Report {
        let ms = Duration::from_millis;
        let mut report = Report::new(&[ms(700)]).unwrap();
        for (intended, took, outcome) in hits {
            report.schedule(ms(*intended)).unwrap();
            let hit = Hit {
                intended: ms(*intended),
                sent: ms(intended + took / 2),
                done: ms(intended + took),
                generator_lag: Duration::ZERO,
                outcome: OUTCOMES[*outcome],
            };
            report.record(&hit).unwrap();
        }
        report
    }

    fn hits() -> impl Strategy<Value = Vec<(u64, u64, usize)>> {
        prop::collection::vec((0..3_000_u64, 0..2_000_u64, 0..9_usize), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn merged_reports_account_for_every_request(one in hits(), other in hits()) {
            let mut merged = report(&one);
            merged.merge(&report(&other)).unwrap();
            let account = merged.account();
            prop_assert!(account.is_balanced());
            prop_assert_eq!(account.scheduled, (one.len() + other.len()) as u64);
            let seconds = merged.seconds.iter().map(|second| second.account.accounted());
            prop_assert_eq!(seconds.sum::<u64>(), account.scheduled);
            prop_assert_eq!(merged.total().unwrap().response.count(), account.scheduled);
        }
    }

    /// Every count of every histogram and account. Encoded histograms differ in how far they could grow.
    fn content(report: &Report) -> Vec<(Account, Vec<Recorded>)> {
        let phases = report.phases.iter().map(|phase| {
            let Measured {
                account,
                response,
                service,
                lag,
                generator_lag,
            } = phase;
            let series = [response, service, lag, generator_lag];
            (*account, series.map(Series::recorded).to_vec())
        });
        let seconds = report.seconds.iter();
        let seconds = seconds.map(|second| (second.account, vec![second.response.recorded()]));
        phases.chain(seconds).collect()
    }

    /// The hits of one of four generators that share a load.
    fn shard(hits: &[(u64, u64, usize)], index: usize) -> Report {
        let hits: Vec<_> = hits.iter().skip(index).step_by(4).copied().collect();
        let json = serde_json::to_string(&report(&hits)).unwrap();
        serde_json::from_str(&json).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn four_merged_shards_are_the_report_of_one_generator(hits in hits()) {
            let mut merged = shard(&hits, 3);
            for index in 0..3 {
                merged.merge(&shard(&hits, index)).unwrap();
            }
            let one = report(&hits);
            prop_assert_eq!(content(&merged), content(&one));
        }
    }

    #[test]
    fn reports_with_other_phases_do_not_merge() {
        let mut whole = Report::new(&[]).unwrap();
        let error = whole.merge(&report(&[(1, 2, 0)])).unwrap_err();
        assert!(matches!(error, MergeError::Phases));
        assert_eq!(whole.account().scheduled, 0);
    }

    #[test]
    fn a_report_survives_json() {
        let json = serde_json::to_string(&report(&[(1, 2, 0), (900, 3, 7)])).unwrap();
        let read: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(read.account().scheduled, 2);
        assert_eq!(read.phases[1].account.unfinished, 1);
    }
}
