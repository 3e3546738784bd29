//! Pacers: pure functions from the index of a request to the time at which it is due.

use std::time::Duration;

/// Determines when each request of a load is due.
pub trait Pacer {
    /// When request `n`, counted from 0, is due since the start; `None` after the end of the load.
    ///
    /// A later request is never due before an earlier one.
    fn due(&self, n: u64) -> Option<Duration>;
}

/// A constant rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    /// Requests per second; positive.
    pub per_second: f64,
    /// How long the load lasts.
    pub duration: Duration,
}

impl Pacer for Constant {
    fn due(&self, n: u64) -> Option<Duration> {
        before(self.duration, exact(n) / self.per_second)
    }
}

/// A rate that changes linearly from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Requests per second at the start; positive.
    pub from: f64,
    /// Requests per second at the end; positive.
    pub to: f64,
    /// How long the load lasts.
    pub duration: Duration,
}

impl Pacer for Ramp {
    /// After `t` seconds of a ramp of `d` seconds, `from·t + (to − from)·t²/2d` requests were due.
    /// This solves the equation for `t`.
    fn due(&self, n: u64) -> Option<Duration> {
        let slope = (self.to - self.from) / self.duration.as_secs_f64();
        if slope == 0.0 {
            let constant = Constant {
                per_second: self.from,
                duration: self.duration,
            };
            return constant.due(n);
        }
        let discriminant = self.from.mul_add(self.from, 2.0 * slope * exact(n));
        // A falling rate reaches zero before this many requests.
        if discriminant < 0.0 {
            return None;
        }
        before(self.duration, (discriminant.sqrt() - self.from) / slope)
    }
}

fn before(end: Duration, seconds: f64) -> Option<Duration> {
    let due = Duration::try_from_secs_f64(seconds).ok()?;
    (due < end).then_some(due)
}

/// Converts a count to `f64`, exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
fn exact(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pacer: &impl Pacer) -> Vec<Duration> {
        (0..).map_while(|n| pacer.due(n)).collect()
    }

    #[test]
    fn a_constant_rate_spaces_requests_evenly() {
        let pacer = Constant {
            per_second: 4.0,
            duration: Duration::from_secs(2),
        };
        let expected: Vec<_> = (0..8).map(|n| Duration::from_millis(n * 250)).collect();
        assert_eq!(times(&pacer), expected);
    }

    #[test]
    fn a_ramp_sends_the_mean_of_its_rates_in_order() {
        for (from, to) in [(10.0, 30.0), (30.0, 10.0), (20.0, 20.0)] {
            let duration = Duration::from_secs(10);
            let times = times(&Ramp { from, to, duration });
            assert!((199..=201).contains(&times.len()), "{}", times.len());
            assert!(times.is_sorted());
            let first_half = times.iter().filter(|due| **due < duration / 2).count();
            assert_eq!(first_half < 100, from < to, "{from} to {to}: {first_half}");
        }
    }
}
