//! Whether a load was a valid measurement of the server.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::pacer::exact;
use crate::steady_state::{Slope, Truncation, mser5, slope};
use crate::{MachineUse, Quantile, Report, Second, SeriesError};

/// The generator is late if its lag at p99 exceeds the median response time, within these limits.
const LAG_LIMITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(30));

/// The smallest share of the requests due that must be sent.
const LEAST_SENT: f64 = 0.99;

/// The largest share of the processor time that other virtual machines may take.
const MOST_STOLEN: f64 = 0.05;

/// Above this share of a core the one thread of the generator has no time left.
const MOST_CORE_SHARE: f64 = 0.95;

/// A generator without time left is late if its lag at p99 is longer than this.
const SATURATED_LAG: Duration = Duration::from_millis(2);

/// A change by less than this share of the mean does not matter.
const LEAST_CHANGE: f64 = 0.1;

/// A queue that gets longer by fewer requests than this does not matter.
const LEAST_GROWTH: f64 = 1.0;

/// What is known about a load beside its report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Circumstances {
    /// The whole seconds with one rate, which must be steady; empty if there are none.
    pub steady: Range<usize>,
    /// What the machine and the generator used.
    pub machine: MachineUse,
}

/// Whether a load was a valid measurement of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Validity {
    /// The server was in a steady state.
    Steady {
        /// The first second after the warm-up.
        from_second: usize,
    },
    /// Nothing is wrong, and there are too few seconds with one rate to tell a steady state.
    NotJudged {
        /// Why.
        reason: String,
    },
    /// The server was in no steady state, so that another duration would give other figures.
    NotSteady {
        /// Why.
        reason: String,
    },
    /// The generator sent requests late although a connection was free.
    GeneratorLate {
        /// Its lag at p99.
        lag: Quantile,
        /// The limit.
        limit: Duration,
        /// Its processor time as a share of one core.
        core_share: Option<f64>,
    },
    /// Other virtual machines took processor time.
    Stolen {
        /// Their share.
        share: f64,
    },
}

impl Validity {
    /// Whether figures of the load say something about the server.
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Steady { .. } | Self::NotJudged { .. })
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady { from_second } => write!(f, "steady from second {from_second}"),
            Self::NotJudged { reason } => write!(f, "steady state not judged: {reason}"),
            Self::NotSteady { reason } => write!(f, "no steady state: {reason}"),
            Self::GeneratorLate {
                lag,
                limit,
                core_share,
            } => {
                let limit = limit.as_secs_f64() * 1e3;
                write!(
                    f,
                    "the generator could not keep the rate: its lag is {lag} ms at p99, "
                )?;
                write!(f, "and the limit {limit:.1} ms")?;
                core_share.map_or(Ok(()), |share| {
                    write!(f, "; it used {:.0} % of a core", share * 1e2)
                })
            }
            Self::Stolen { share } => {
                let percent = share * 1e2;
                write!(
                    f,
                    "other virtual machines took {percent:.1} % of the processor time"
                )
            }
        }
    }
}

/// Judges a load: the generator and the machine first, because they may be why it was not steady.
pub fn validity(report: &Report, circumstances: &Circumstances) -> Result<Validity, SeriesError> {
    let total = report.total()?;
    let lag = total.generator_lag.quantile(0.99);
    let p50 = total.response.quantile(0.5).map(|p50| p50.value);
    if let Some(late) = late(lag, p50.unwrap_or_default(), circumstances.machine) {
        return Ok(late);
    }
    if let Some(share) = circumstances
        .machine
        .stolen
        .filter(|share| *share > MOST_STOLEN)
    {
        return Ok(Validity::Stolen { share });
    }
    let account = total.account;
    let sent = exact(account.scheduled - account.never_sent) / exact(account.scheduled.max(1));
    if account.scheduled > 0 && sent < LEAST_SENT {
        let percent = sent * 1e2;
        let reason =
            format!("{percent:.1} % of the requests due were sent; no connection was free");
        return Ok(Validity::NotSteady { reason });
    }
    Ok(steadiness(report, &circumstances.steady))
}

fn late(lag: Option<Quantile>, p50: Duration, machine: MachineUse) -> Option<Validity> {
    let (least, most) = LAG_LIMITS;
    let is_saturated = machine
        .core_share
        .is_some_and(|share| share > MOST_CORE_SHARE);
    let limit = if is_saturated {
        SATURATED_LAG
    } else {
        p50.clamp(least, most)
    };
    let lag = lag.filter(|lag| lag.value > limit)?;
    let core_share = machine.core_share;
    Some(Validity::GeneratorLate {
        lag,
        limit,
        core_share,
    })
}

/// Whether the seconds of a load with one rate are steady.
pub fn steadiness(report: &Report, seconds: &Range<usize>) -> Validity {
    let end = seconds.end.min(report.seconds.len());
    let part = report.seconds.get(seconds.start.min(end)..end);
    let part = part.unwrap_or_default();
    steadiness_of(
        &part.iter().map(Sample::of).collect::<Vec<_>>(),
        seconds.start,
    )
}

/// The requests that were due in one second.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Their mean response time, in seconds.
    response: f64,
    /// The mean number of requests that were not yet answered: by Little's law, the sum of the response
    /// times of the requests of one second.
    queue: f64,
}

impl Sample {
    fn of(second: &Second) -> Self {
        let count = exact(second.response.count());
        let queue = second.response.sum().as_secs_f64();
        Self {
            response: queue / count.max(1.0),
            queue,
        }
    }
}

fn steadiness_of(samples: &[Sample], first: usize) -> Validity {
    let responses: Vec<_> = samples.iter().map(|sample| sample.response).collect();
    let warm_up = match mser5(&responses) {
        Truncation::At(second) => second,
        Truncation::SecondHalf if has_trend(&responses) => {
            let reason = "the response times still changed in the second half (MSER-5)".to_owned();
            return Validity::NotSteady { reason };
        }
        // With few batches the best point is in the second half by chance now and then.
        Truncation::SecondHalf | Truncation::TooShort => 0,
    };
    let queue: Vec<_> = samples[warm_up..]
        .iter()
        .map(|sample| sample.queue)
        .collect();
    let Some(slope) = slope(&queue) else {
        let reason = match samples.len() {
            0 => "there is no whole second with one rate".to_owned(),
            count => format!("{count} seconds with one rate are too few"),
        };
        return Validity::NotJudged { reason };
    };
    let growth = slope.value * exact(queue.len() as u64);
    if growth > LEAST_GROWTH && matters(slope, &queue) {
        let rise = slope.value;
        let reason = format!("the queue grew by {rise:.2} requests per second");
        return Validity::NotSteady { reason };
    }
    Validity::Steady {
        from_second: first + warm_up,
    }
}

/// Whether all values, or their second half, certainly rise or fall.
fn has_trend(values: &[f64]) -> bool {
    let mut parts = [values, &values[values.len() / 2..]].into_iter();
    parts.any(|part| slope(part).is_some_and(|slope| matters(slope, part)))
}

/// Whether a slope is certain, and changes the values by a share of their mean that matters.
fn matters(slope: Slope, values: &[f64]) -> bool {
    let is_certain = slope.low > 0.0 || slope.high < 0.0;
    let count = exact(values.len() as u64);
    let mean = values.iter().sum::<f64>() / count;
    is_certain && slope.value.abs() * count > LEAST_CHANGE * mean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Hit, HitOutcome};

    const RATE: u64 = 20;

    /// A report of this many requests per second with these response times, in milliseconds.
    fn report(responses: &[f64], lag: Duration) -> Report {
        let mut report = Report::new(&[]).unwrap();
        for (second, response) in (0..).zip(responses) {
            for number in 0..RATE {
                let intended = Duration::from_millis(second * 1_000 + number * 1_000 / RATE);
                report.schedule(intended).unwrap();
                let hit = Hit {
                    intended,
                    sent: intended + lag,
                    done: intended + lag + Duration::from_secs_f64(response / 1e3),
                    generator_lag: lag,
                    outcome: HitOutcome::Ok,
                };
                report.record(&hit).unwrap();
            }
        }
        report
    }

    fn judged(responses: &[f64], lag: Duration, machine: MachineUse) -> Validity {
        let circumstances = Circumstances {
            steady: 0..responses.len(),
            machine,
        };
        validity(&report(responses, lag), &circumstances).unwrap()
    }

    fn of(responses: &[f64]) -> Validity {
        judged(responses, Duration::ZERO, MachineUse::default())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_flat_series_is_steady_and_a_ramp_is_not(noise in prop::collection::vec(-0.5..0.5_f64, 60)) {
            let flat: Vec<_> = noise.iter().map(|noise| 20.0 + noise).collect();
            prop_assert!(of(&flat).is_valid(), "{:?}", of(&flat));
            let ramp: Vec<_> = (0..).map(exact).zip(&noise).map(|(x, noise)| 20.0 + 10.0 * x + noise).collect();
            prop_assert!(matches!(of(&ramp), Validity::NotSteady { .. }), "{:?}", of(&ramp));
        }
    }

    #[test]
    fn a_warm_up_is_cut_off() {
        let responses: Vec<_> = (0..80)
            .map(|second| if second < 10 { 900.0 } else { 20.0 })
            .collect();
        assert_eq!(of(&responses), Validity::Steady { from_second: 10 });
        assert_eq!(of(&responses).to_string(), "steady from second 10");
    }

    #[test]
    fn a_queue_that_grows_within_a_short_load_is_not_steady() {
        let grows: Vec<_> = (0..12)
            .map(|second| 100.0 * exact(second) + 100.0)
            .collect();
        let reason = of(&grows).to_string();
        assert!(
            reason.contains("the queue grew by 2.00 requests"),
            "{reason}"
        );
        let few = of(&grows[..5]);
        assert!(matches!(few, Validity::NotJudged { .. }), "{few:?}");
        assert!(few.is_valid());
    }

    #[test]
    fn a_late_generator_and_stolen_time_are_no_measurement() {
        let flat = [20.0; 60];
        let machine = |stolen, core_share| MachineUse {
            stolen: Some(stolen),
            core_share: Some(core_share),
        };
        let late = |lag, machine| judged(&flat, Duration::from_millis(lag), machine);
        assert!(late(15, machine(0.0, 0.1)).is_valid());
        let found = late(60, machine(0.0, 0.1));
        assert!(matches!(found, Validity::GeneratorLate { .. }), "{found:?}");
        assert!(found.to_string().contains("10 % of a core"), "{found}");
        let saturated = late(3, machine(0.0, 1.0));
        assert!(!saturated.is_valid(), "{saturated:?}");
        assert!(late(3, machine(0.0, 0.5)).is_valid());
        let stolen = late(0, machine(0.06, 0.1));
        assert!(matches!(stolen, Validity::Stolen { .. }), "{stolen:?}");
        assert!(late(0, machine(0.04, 0.1)).is_valid());
    }

    #[test]
    fn requests_that_are_never_sent_are_no_measurement() {
        let mut report = report(&[20.0; 20], Duration::ZERO);
        for second in 0..10 {
            let intended = Duration::from_secs(second);
            report.schedule(intended).unwrap();
            let hit = Hit {
                intended,
                sent: Duration::from_secs(20),
                done: Duration::from_secs(20),
                generator_lag: Duration::ZERO,
                outcome: HitOutcome::NeverSent,
            };
            report.record(&hit).unwrap();
        }
        let found = validity(&report, &Circumstances::default()).unwrap();
        assert!(found.to_string().contains("97.6 %"), "{found}");
    }
}
