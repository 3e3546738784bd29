//! A rate that changes linearly.

use std::time::Duration;

use super::constant::{before, exact};
use super::{Pacer, PacerError, error};

/// A rate that changes linearly from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    from: f64,
    to: f64,
    duration: Duration,
}

impl Ramp {
    /// The rates at the start and at the end, in requests per second, and the duration.
    pub fn new(from: f64, to: f64, duration: Duration) -> Result<Self, PacerError> {
        Ok(Self {
            from: error::rate(from)?,
            to: error::rate(to)?,
            duration: error::duration(duration)?,
        })
    }
}

impl Pacer for Ramp {
    /// After `t` seconds of a ramp of `d` seconds, `from·t + (to − from)·t²/2d` requests were due.
    /// This solves the equation for `t`, in the form that is also exact for equal rates.
    fn due(&self, n: u64) -> Option<Duration> {
        let slope = (self.to - self.from) / self.duration.as_secs_f64();
        let discriminant = self.from.mul_add(self.from, 2.0 * slope * exact(n));
        // A falling rate reaches zero before this many requests.
        if discriminant < 0.0 {
            return None;
        }
        before(
            self.duration,
            2.0 * exact(n) / (self.from + discriminant.sqrt()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_sends_the_mean_of_its_rates_in_order() {
        for (from, to) in [(10.0, 30.0), (30.0, 10.0), (20.0, 20.0)] {
            let duration = Duration::from_secs(10);
            let times = Ramp::new(from, to, duration).unwrap().schedule();
            assert!((199..=201).contains(&times.len()), "{}", times.len());
            assert!(times.is_sorted());
            let first_half = times.iter().filter(|due| **due < duration / 2).count();
            assert_eq!(first_half < 100, from < to, "{from} to {to}: {first_half}");
        }
    }
}
