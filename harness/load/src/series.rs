//! A distribution of times, in which some are only known to be at least a value.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// A series that cannot be built, merged or read.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// It is not base64.
    #[error("decode the base64 text of a histogram")]
    Base64(#[from] base64::DecodeError),
    /// It is not a histogram.
    #[error("decode a histogram: {0}")]
    Histogram(String),
}

/// A distribution of times. Its size does not depend on their number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Series {
    /// Times that are known, in nanoseconds.
    known: Histogram<u64>,
    /// Lower bounds of the others.
    censored: Histogram<u64>,
}

/// Every known and every censored time of a series, with its count.
#[cfg(test)]
pub(crate) type Recorded = [Vec<(u64, u64)>; 2];

/// The form of a series in JSON: the V2 format of `HdrHistogram`, deflated, in base64.
#[derive(Serialize, Deserialize)]
struct Encoded {
    known: String,
    censored: String,
}

impl Series {
    /// Times with this many significant digits, from 1 to 5.
    pub(crate) fn new(digits: u8) -> Result<Self, SeriesError> {
        let empty = || {
            Histogram::new(digits.clamp(1, 5))
                .map_err(|error| SeriesError::Histogram(error.to_string()))
        };
        Ok(Self {
            known: empty()?,
            censored: empty()?,
        })
    }

    /// Adds a time that is known, or only known to be at least this long.
    pub(crate) fn record(&mut self, time: Duration, is_known: bool) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
        let histogram = if is_known {
            &mut self.known
        } else {
            &mut self.censored
        };
        // It grows with its values, up to what memory allows.
        if histogram.record(nanoseconds).is_err() {
            histogram.saturating_record(nanoseconds);
        }
    }

    /// Adds the times of another shard.
    pub fn merge(&mut self, other: &Self) -> Result<(), SeriesError> {
        let failed =
            |error: hdrhistogram::errors::AdditionError| SeriesError::Histogram(error.to_string());
        self.known.add(&other.known).map_err(failed)?;
        self.censored.add(&other.censored).map_err(failed)
    }

    /// The number of times, the censored ones included.
    pub fn count(&self) -> u64 {
        self.known.len() + self.censored.len()
    }

    /// All times together, the censored ones with their lower bounds.
    pub(crate) fn sum(&self) -> Duration {
        let histograms = [&self.known, &self.censored];
        let sums = histograms.map(|it| it.mean() * crate::pacer::exact(it.len()));
        let nanoseconds: f64 = sums.iter().sum();
        Duration::try_from_secs_f64(nanoseconds / 1e9).unwrap_or(Duration::MAX)
    }

    /// The time that this share of the requests did not exceed; `None` without a request.
    ///
    /// It is exact if it would be the same whatever the true value of the censored times is, and a lower
    /// bound otherwise.
    pub fn quantile(&self, share: f64) -> Option<Quantile> {
        let rank = rank(share, self.count())?;
        let highest = value_at(&self.known, rank);
        let lowest = self.lowest(rank, share);
        let is_exact =
            highest.is_some_and(|highest| highest.as_secs_f64() <= lowest.as_secs_f64() * 1.01);
        Some(match highest {
            Some(exact) if is_exact => Quantile {
                value: exact,
                is_lower_bound: false,
            },
            _ => Quantile {
                value: lowest,
                is_lower_bound: true,
            },
        })
    }

    /// Every time with its count, known and censored: two series are equal if these are.
    #[cfg(test)]
    pub(crate) fn recorded(&self) -> Recorded {
        [&self.known, &self.censored].map(|histogram| {
            let recorded = histogram.iter_recorded();
            let pairs = recorded.map(|value| (value.value_iterated_to(), value.count_at_value()));
            pairs.collect()
        })
    }

    /// The quantile if every censored time ended at its bound.
    fn lowest(&self, rank: u64, share: f64) -> Duration {
        if self.censored.is_empty() {
            return value_at(&self.known, rank).unwrap_or_default();
        }
        let mut all = self.known.clone();
        // Both have the same precision and grow as needed, so the sum exists.
        if all.add(&self.censored).is_err() {
            return Duration::from_nanos(self.known.value_at_quantile(share));
        }
        value_at(&all, rank).unwrap_or_default()
    }
}

/// The rank of a quantile among this many values, from 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^52, and shares are clamped"
)]
fn rank(share: f64, count: u64) -> Option<u64> {
    let rank = (share.clamp(0.0, 1.0) * count as f64).ceil() as u64;
    (count > 0).then(|| rank.clamp(1, count))
}

/// The value of this rank, if there are as many.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn value_at(histogram: &Histogram<u64>, rank: u64) -> Option<Duration> {
    let count = histogram.len();
    // Half a rank less, so that rounding does not give the next value.
    let share = (rank as f64 - 0.5) / count as f64;
    (rank <= count).then(|| Duration::from_nanos(histogram.value_at_quantile(share)))
}

/// A quantile, which may only be a lower bound. It prints as `≥ x` then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile {
    /// The time.
    pub value: Duration,
    /// Whether the true value may be greater.
    pub is_lower_bound: bool,
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = if self.is_lower_bound { "≥ " } else { "" };
        let milliseconds = self.value.as_secs_f64() * 1e3;
        let decimals = if milliseconds < 100.0 { 2 } else { 0 };
        f.pad(&format!("{bound}{milliseconds:.decimals$}"))
    }
}

impl From<Series> for Encoded {
    fn from(series: Series) -> Self {
        Self {
            known: encode(&series.known),
            censored: encode(&series.censored),
        }
    }
}

impl TryFrom<Encoded> for Series {
    type Error = SeriesError;

    fn try_from(encoded: Encoded) -> Result<Self, SeriesError> {
        Ok(Self {
            known: decode(&encoded.known)?,
            censored: decode(&encoded.censored)?,
        })
    }
}

fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail; an empty text is rejected when it is read.
    if V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .is_err()
    {
        bytes.clear();
    }
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Result<Histogram<u64>, SeriesError> {
    let bytes = STANDARD.decode(text)?;
    let decoded = Deserializer::new().deserialize(&mut bytes.as_slice());
    let mut histogram: Histogram<u64> =
        decoded.map_err(|error| SeriesError::Histogram(error.to_string()))?;
    histogram.auto(true);
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(known: &[u64], censored: &[u64]) -> Series {
        let mut series = Series::new(3).unwrap();
        for (times, is_known) in [(known, true), (censored, false)] {
            for time in times {
                series.record(Duration::from_millis(*time), is_known);
            }
        }
        series
    }

    #[test]
    fn a_quantile_above_the_censored_part_is_a_lower_bound() {
        let series = series(&[1, 2, 3, 4, 5, 6, 7, 8], &[100, 200]);
        assert_eq!(series.quantile(0.5).unwrap().to_string(), "5.00");
        assert_eq!(series.quantile(0.8).unwrap().to_string(), "8.00");
        assert_eq!(series.quantile(0.9).unwrap().to_string(), "≥ 100");
        assert_eq!(series.quantile(1.0).unwrap().to_string(), "≥ 200");
    }

    #[test]
    fn a_short_censored_time_makes_every_quantile_above_it_a_lower_bound() {
        let series = series(&[10, 20, 30, 40], &[1]);
        assert!(series.quantile(0.5).unwrap().is_lower_bound);
        assert_eq!(super::rank(0.5, 0), None);
    }

    #[test]
    fn a_series_survives_json_and_merges() {
        let one = series(&[1, 2], &[30]);
        let json = serde_json::to_string(&one).unwrap();
        let mut read: Series = serde_json::from_str(&json).unwrap();
        read.merge(&series(&[700_000], &[])).unwrap();
        assert_eq!(read.count(), 4);
        assert!(serde_json::from_str::<Series>(r#"{"known":"","censored":"x"}"#).is_err());
    }
}
