//! Series: what was sampled besides processes, and what was not sampled and why.

use std::time::Duration;

use serde::Serialize;

/// How the values of a series are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value at a time.
    Gauge,
    /// A sum that grows: its changes tell something.
    Counter,
}

/// The values of one quantity. A sample that failed is missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// What it is, such as `sessions idle in transaction`.
    pub name: String,
    /// How its values are to be read.
    pub kind: Kind,
    /// Pairs of the seconds since the start of the load and the value.
    pub samples: Vec<(f64, f64)>,
}

impl Series {
    /// The values to compare with other series: those of a gauge, and the changes per second of a counter, each at
    /// the middle of its interval. A counter that fell was reset.
    pub(crate) fn values(&self) -> Vec<(f64, f64)> {
        match self.kind {
            Kind::Gauge => self.samples.clone(),
            Kind::Counter => rates(&self.samples),
        }
    }

    /// The largest value.
    pub(crate) fn peak(&self) -> Option<f64> {
        let values = self.values().into_iter().map(|(_, value)| value);
        values.max_by(f64::total_cmp)
    }
}

/// The change per second in each interval, at its middle; none where the value fell.
pub(super) fn rates(samples: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let rate = |pair: &[(f64, f64)]| {
        let (time, change) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let is_usable = time > 0.0 && change >= 0.0;
        is_usable.then(|| (f64::midpoint(pair[0].0, pair[1].0), change / time))
    };
    samples.windows(2).filter_map(rate).collect()
}

/// What was not sampled, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotSampled {
    /// The process or the source, such as `sessions`.
    pub what: String,
    /// Why, and what would change it.
    pub reason: String,
}

impl NotSampled {
    pub(crate) fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: format!("not sampled: {}", reason.into()),
        }
    }
}

/// Series that are filled sample by sample, in the order in which they first have a value.
#[derive(Debug, Default)]
pub(super) struct SeriesSet {
    series: Vec<Series>,
    /// When the values were read that were added last.
    times: Vec<f64>,
    /// Whether a series without a value in a sample has the value zero there.
    zeros: bool,
}

impl SeriesSet {
    /// Series of counts by word: a word that is not counted has the count zero.
    pub(super) fn of_counts() -> Self {
        Self {
            zeros: true,
            ..Self::default()
        }
    }

    /// Adds the values of one sample.
    pub(super) fn add(
        &mut self,
        at: Duration,
        values: impl IntoIterator<Item = (String, Kind, f64)>,
    ) {
        let at = rounded(at);
        for (name, kind, value) in values {
            let known = self.series.iter_mut().find(|series| series.name == name);
            if let Some(series) = known {
                series.samples.push((at, value));
                continue;
            }
            let before = self.times.iter().map(|time| (*time, 0.0));
            let mut samples: Vec<_> = before.filter(|_| self.zeros).collect();
            samples.push((at, value));
            self.series.push(Series {
                name,
                kind,
                samples,
            });
        }
        let missing = self.series.iter_mut().filter(|_| self.zeros);
        for series in missing {
            if series.samples.last().is_none_or(|last| last.0 < at) {
                series.samples.push((at, 0.0));
            }
        }
        self.times.push(at);
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    pub(super) fn finish(self) -> Vec<Series> {
        self.series
    }
}

/// Seconds to the millisecond: more says nothing, and makes files long.
pub(super) fn rounded(at: Duration) -> f64 {
    (at.as_secs_f64() * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, value: f64) -> (String, Kind, f64) {
        (name.to_owned(), Kind::Gauge, value)
    }

    #[test]
    fn a_word_that_is_not_counted_is_zero_and_a_failed_sample_is_a_gap() {
        let mut set = SeriesSet::of_counts();
        let second = Duration::from_secs;
        set.add(second(0), [count("idle", 2.0)]);
        set.add(second(1), [count("active", 1.0)]);
        // The sample of the second second failed.
        set.add(second(3), [count("idle", 1.0), count("active", 1.0)]);
        let series = set.finish();
        assert_eq!(series[0].samples, [(0.0, 2.0), (1.0, 0.0), (3.0, 1.0)]);
        assert_eq!(series[1].samples, [(0.0, 0.0), (1.0, 1.0), (3.0, 1.0)]);
    }

    #[test]
    fn a_metric_that_is_not_reported_is_a_gap() {
        let mut set = SeriesSet::default();
        set.add(Duration::ZERO, [count("a", 2.0)]);
        set.add(Duration::from_secs(1), [count("b", 1.0)]);
        assert_eq!(set.len(), 2);
        let series = set.finish();
        assert_eq!(series[0].samples, [(0.0, 2.0)]);
        assert_eq!(series[1].samples, [(1.0, 1.0)]);
    }

    #[test]
    fn the_values_of_a_counter_are_its_changes() {
        let series = Series {
            name: "requests".to_owned(),
            kind: Kind::Counter,
            samples: vec![(0.0, 5.0), (2.0, 9.0), (3.0, 1.0), (4.0, 4.0)],
        };
        assert_eq!(series.values(), [(1.0, 2.0), (3.5, 3.0)]);
        assert_eq!(series.peak(), Some(3.0));
    }
}
