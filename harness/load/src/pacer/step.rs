//! Constant rates one after the other.

use std::time::Duration;

use super::{Constant, Pacer, PacerError};

/// One constant rate of a step load.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stage {
    pacer: Constant,
    starts: Duration,
    /// The number of requests before this stage.
    first: u64,
}

/// Constant rates one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    stages: Vec<Stage>,
}

impl Step {
    /// The rate of each stage, in requests per second, and its duration.
    pub fn new(stages: &[(f64, Duration)]) -> Result<Self, PacerError> {
        let (mut starts, mut first) = (Duration::ZERO, 0);
        let mut all = Vec::new();
        for (rate, duration) in stages {
            let pacer = Constant::new(*rate, *duration)?;
            all.push(Stage {
                pacer,
                starts,
                first,
            });
            starts += *duration;
            first += count(&pacer);
        }
        let is_empty = all.is_empty();
        (!is_empty)
            .then_some(Self { stages: all })
            .ok_or(PacerError::NoStage)
    }
}

/// The number of requests of a load, by bisection.
pub(super) fn count(pacer: &dyn Pacer) -> u64 {
    let mut high = 1;
    while high < u64::MAX / 2 && pacer.due(high).is_some() {
        high *= 2;
    }
    let mut low = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        match pacer.due(middle) {
            Some(_) => low = middle + 1,
            None => high = middle,
        }
    }
    low
}

impl Pacer for Step {
    fn due(&self, n: u64) -> Option<Duration> {
        let stage = self.stages.iter().rev().find(|stage| stage.first <= n)?;
        Some(stage.starts + stage.pacer.due(n - stage.first)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_has_its_rate_and_follows_the_one_before() {
        let second = Duration::from_secs(1);
        let times = Step::new(&[(10.0, second), (2.0, second), (20.0, second)]);
        let times = times.unwrap().schedule();
        assert!(times.is_sorted());
        let in_second = |n| times.iter().filter(|due| due.as_secs() == n).count();
        assert_eq!([0, 1, 2].map(in_second), [10, 2, 20]);
    }
}
