//! The numbers of one measurement, from which it is judged.

use serde::Serialize;

use crate::bootstrap::interval;
use crate::hodges_lehmann::hodges_lehmann;
use crate::mann_whitney::mann_whitney;
use crate::noise::{floor, median, noise};
use crate::power::{Design, Runs, spread};
use crate::samples::{Samples, Sides};

/// The numbers of one measurement.
///
/// A ratio says how many times worse the candidate is: greater for a time, smaller for a rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The number of runs of the baseline.
    pub baseline_runs: usize,
    /// The number of runs of the candidate.
    pub candidate_runs: usize,
    /// The median of the runs of the baseline.
    pub baseline: f64,
    /// The median of the runs of the candidate.
    pub candidate: f64,
    /// The estimate of Hodges and Lehmann.
    pub ratio: f64,
    /// The lower end of the 90 % interval of the ratio.
    pub ratio_low: f64,
    /// Its upper end.
    pub ratio_high: f64,
    /// The probability of Mann and Whitney, not corrected.
    pub p: f64,
    /// The probability after the correction of Holm; for an advisory measurement, `p`.
    pub corrected_p: f64,
    /// The relative deviation of the runs of the baseline.
    pub noise: f64,
    /// The effect that a regression must exceed: 0.1 is 10 %.
    pub floor: f64,
    /// The smallest effect that would be detected with a probability of 80 %.
    pub detectable: Option<f64>,
    /// The standard deviation of the logarithms, from which more runs are planned.
    #[serde(skip)]
    pub(crate) spread: f64,
}

impl Figures {
    /// The numbers of a measurement; `None` if a side has no usable value.
    pub(crate) fn new(samples: &Samples, sides: &Sides, alpha: f64, seed: u64) -> Option<Self> {
        let (low, high) = samples.toward_worse(sides);
        let p = mann_whitney(low, high)?;
        let (ratio_low, ratio_high) = interval(low, high, seed)?;
        let noise = noise(&sides.baseline);
        let mut figures = Self {
            baseline_runs: sides.baseline.len(),
            candidate_runs: sides.candidate.len(),
            baseline: median(&sides.baseline),
            candidate: median(&sides.candidate),
            ratio: hodges_lehmann(low, high)?,
            ratio_low,
            ratio_high,
            p,
            corrected_p: p,
            noise,
            floor: floor(noise),
            detectable: None,
            spread: spread([low, high]),
        };
        figures.detectable = figures.design(alpha).detectable(figures.runs());
        Some(figures)
    }

    pub(crate) fn design(&self, alpha: f64) -> Design {
        Design {
            spread: self.spread,
            floor: self.floor,
            alpha,
        }
    }

    pub(crate) fn runs(&self) -> Runs {
        Runs {
            baseline: self.baseline_runs,
            candidate: self.candidate_runs,
        }
    }
}
