//! Pacers one after the other.

use std::fmt;
use std::time::Duration;

use super::step::count;
use super::{Pacer, PacerError, error};

/// One part of a load.
struct Part {
    pacer: Box<dyn Pacer>,
    starts: Duration,
    /// The number of requests before this part.
    first: u64,
}

/// Pacers one after the other, each for its duration.
pub struct Phases {
    parts: Vec<Part>,
    ends: Vec<Duration>,
}

impl Phases {
    /// The pacer of each phase, which sends nothing after its duration.
    pub fn new(
        phases: impl IntoIterator<Item = (Box<dyn Pacer>, Duration)>,
    ) -> Result<Self, PacerError> {
        let (mut starts, mut first) = (Duration::ZERO, 0);
        let (mut parts, mut ends) = (Vec::new(), Vec::new());
        for (pacer, duration) in phases {
            let duration = error::duration(duration)?;
            let requests = count(&*pacer);
            parts.push(Part {
                pacer,
                starts,
                first,
            });
            starts += duration;
            first += requests;
            ends.push(starts);
        }
        // The last phase ends with the load.
        ends.pop().ok_or(PacerError::NoStage)?;
        Ok(Self { parts, ends })
    }

    /// When each phase ends, except the last.
    pub fn ends(&self) -> &[Duration] {
        &self.ends
    }
}

impl Pacer for Phases {
    fn due(&self, n: u64) -> Option<Duration> {
        let part = self.parts.iter().rev().find(|part| part.first <= n)?;
        Some(part.starts + part.pacer.due(n - part.first)?)
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phases")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacer::{Constant, Ramp, poisson};

    #[test]
    fn each_phase_has_its_pacer_and_follows_the_one_before() {
        let second = Duration::from_secs(1);
        let random = poisson(50.0, second, 1).unwrap();
        let random_count = random.schedule().len();
        let pacers: [Box<dyn Pacer>; 3] = [
            Box::new(Constant::new(10.0, second).unwrap()),
            Box::new(random),
            Box::new(Ramp::new(10.0, 30.0, second).unwrap()),
        ];
        let phases = Phases::new(pacers.map(|pacer| (pacer, second))).unwrap();
        assert_eq!(phases.ends(), [second, second * 2]);
        let times = phases.schedule();
        assert!(times.is_sorted());
        let in_second = |n| times.iter().filter(|due| due.as_secs() == n).count();
        assert_eq!([0, 1, 2].map(in_second), [10, random_count, 20]);
    }

    #[test]
    fn no_phase_or_one_without_a_duration_is_an_error() {
        assert_eq!(Phases::new([]).unwrap_err(), PacerError::NoStage);
        let pacer: Box<dyn Pacer> = Box::new(Constant::new(1.0, Duration::from_secs(1)).unwrap());
        let error = Phases::new([(pacer, Duration::ZERO)]).unwrap_err();
        assert_eq!(error, PacerError::Duration);
    }
}
