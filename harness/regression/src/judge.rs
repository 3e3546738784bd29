//! Whether one measurement became worse, stayed as it was, or cannot be judged.

use serde::Serialize;

use crate::figures::Figures;
use crate::mann_whitney::MOST;
use crate::power::Runs;

/// The probability of a false alarm of a whole comparison.
pub const ALPHA: f64 = 0.05;

/// What the runs say about one measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "judgement")]
pub enum Judgement {
    /// It is not worse than the floor allows.
    Passed,
    /// It is worse, by more than the floor.
    Failed,
    /// It cannot be told.
    Inconclusive {
        /// Why, and what to do.
        reason: String,
        /// How many more runs would probably suffice, if any number does.
        #[serde(skip_serializing_if = "Option::is_none")]
        further: Option<FurtherRuns>,
    },
}

/// How many more runs a judgement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FurtherRuns {
    /// Of the baseline.
    pub baseline: usize,
    /// Of the candidate.
    pub candidate: usize,
}

impl Judgement {
    /// Without numbers, nothing can be told.
    pub(crate) fn impossible(reason: impl Into<String>) -> Self {
        Self::Inconclusive {
            reason: reason.into(),
            further: None,
        }
    }

    fn needs(reason: String, from: Runs, to: Option<Runs>) -> Self {
        let further = to.map(|to| FurtherRuns {
            baseline: to.baseline - from.baseline,
            candidate: to.candidate - from.candidate,
        });
        Self::Inconclusive { reason, further }
    }
}

/// Judges a measurement by its numbers, where a test fails below `alpha`, corrected for all tests.
///
/// It fails only if the difference is certain and large enough. It passes only if the whole interval of
/// the ratio is below the floor. Everything between is inconclusive, never a pass.
pub(crate) fn judge(figures: &Figures, alpha: f64) -> Judgement {
    let runs = figures.runs();
    let fewest = runs.fewest(alpha);
    if fewest != Some(runs) {
        return Judgement::needs("too few runs for any decision".to_owned(), runs, fewest);
    }
    let limit = 1.0 + figures.floor;
    if figures.corrected_p < ALPHA && figures.ratio > limit {
        return Judgement::Failed;
    }
    if figures.ratio_high <= limit {
        return Judgement::Passed;
    }
    let needed = figures.design(alpha).sufficient(runs, figures.ratio);
    let reason = if needed.is_some() {
        format!(
            "the interval reaches from {:.2} to {:.2}, over the limit {limit:.2}",
            figures.ratio_low, figures.ratio_high
        )
    } else {
        format!("even {MOST} runs would not decide it: reduce the noise of the machine")
    };
    Judgement::needs(reason, runs, needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ratio: f64, low: f64, high: f64, p: f64, runs: usize) -> Figures {
        Figures {
            baseline_runs: runs,
            candidate_runs: runs,
            baseline: 1.0,
            candidate: ratio,
            ratio,
            ratio_low: low,
            ratio_high: high,
            p,
            corrected_p: p,
            noise: 0.05,
            floor: 0.1,
            detectable: None,
            spread: 0.07,
        }
    }

    fn word(judgement: &Judgement) -> &'static str {
        match judgement {
            Judgement::Passed => "passed",
            Judgement::Failed => "failed",
            Judgement::Inconclusive { .. } => "inconclusive",
        }
    }

    #[test]
    fn a_failure_needs_certainty_and_size_and_a_pass_needs_the_whole_interval() {
        for (ratio, low, high, p, runs, expected) in [
            (1.30, 1.20, 1.40, 0.001, 8, "failed"),
            // Certain, but too small.
            (1.05, 1.02, 1.09, 0.001, 8, "passed"),
            // Large, but not certain.
            (1.30, 0.90, 1.70, 0.080, 8, "inconclusive"),
            // The interval contains the limit.
            (1.05, 0.95, 1.15, 0.200, 8, "inconclusive"),
            (1.10, 1.05, 1.15, 0.010, 8, "inconclusive"),
            // An improvement.
            (0.70, 0.60, 0.80, 0.999, 8, "passed"),
            (f64::INFINITY, 1.50, f64::INFINITY, 0.001, 8, "failed"),
            (9.00, 8.00, 9.50, 0.050, 3, "inconclusive"),
            (1.00, 1.00, 1.00, 1.000, 1, "inconclusive"),
        ] {
            let judged = judge(&figures(ratio, low, high, p, runs), ALPHA);
            assert_eq!(word(&judged), expected, "{ratio} {p} {judged:?}");
        }
    }

    #[test]
    fn too_few_runs_name_the_number_that_suffices() {
        let Judgement::Inconclusive { further, .. } =
            judge(&figures(9.0, 8.0, 9.5, 0.05, 3), ALPHA)
        else {
            panic!("three runs decide nothing");
        };
        let one = FurtherRuns {
            baseline: 1,
            candidate: 1,
        };
        assert_eq!(further, Some(one));
    }

    #[test]
    fn numbers_that_are_none_never_pass() {
        let judged = judge(&figures(f64::NAN, f64::NAN, f64::NAN, f64::NAN, 8), ALPHA);
        assert_eq!(word(&judged), "inconclusive");
        let mut noisy = figures(2.0, 1.5, 3.0, 0.001, 8);
        noisy.floor = f64::INFINITY;
        noisy.ratio_high = f64::NAN;
        assert_eq!(word(&judge(&noisy, ALPHA)), "inconclusive");
    }
}
