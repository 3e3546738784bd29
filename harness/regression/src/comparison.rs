//! All measurements of a candidate, compared with those of a baseline.

use serde::Serialize;

use crate::figures::Figures;
use crate::holm::{count, holm};
use crate::judge::{ALPHA, Judgement, judge};
use crate::measurements::{Better, Measurements};
use crate::samples::{Samples, samples};

/// A comparison of the runs of a candidate with those of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The decision of all gated measurements.
    pub decision: Decision,
    /// Why there is no decision, if no measurement says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The seed of the resampled runs.
    pub seed: u64,
    /// Every measurement.
    pub measurements: Vec<Compared>,
}

/// The decision of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// No gated measurement became worse.
    Passed,
    /// A gated measurement became worse.
    Failed,
    /// No gated measurement is known to be worse, and one or more cannot be judged.
    Inconclusive,
}

/// One measurement, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The name.
    pub name: String,
    /// The unit of its values.
    pub unit: String,
    /// Which values are better.
    pub better: Better,
    /// Whether it counts for the decision.
    pub gated: bool,
    /// What the runs say.
    pub judgement: Judgement,
    /// The numbers, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

impl Comparison {
    /// Compares a candidate with a baseline. The same runs and seed give the same result.
    pub fn new(baseline: &[Measurements], candidate: &[Measurements], seed: u64) -> Self {
        let samples = samples(baseline, candidate);
        let gates = samples.iter().filter(|samples| samples.gated).count();
        // The smallest probability of all gates is multiplied by their number.
        let strict = ALPHA / count(gates.max(1));
        let alpha = |samples: &Samples| if samples.gated { strict } else { ALPHA };
        let mut all: Vec<Compared> = samples
            .iter()
            .map(|samples| compare(samples, alpha(samples), seed))
            .collect();
        correct(&mut all);
        for (compared, samples) in all.iter_mut().zip(&samples) {
            if let Some(figures) = &compared.figures {
                compared.judgement = judge(figures, alpha(samples));
            }
        }
        Self {
            decision: decision(&all),
            problem: (gates == 0).then(|| NOTHING_GATED.to_owned()),
            seed,
            measurements: all,
        }
    }
}

/// Why a comparison decides nothing if no measurement counts.
const NOTHING_GATED: &str =
    "no run has a measurement that counts; compare runs of the suite `performance`";

/// One measurement; it is judged after the correction.
fn compare(samples: &Samples, alpha: f64, seed: u64) -> Compared {
    let sides = samples.sides.as_ref();
    let figures = sides
        .ok()
        .and_then(|sides| Figures::new(samples, sides, alpha, seed));
    let reason = sides.err().cloned();
    let reason = reason.unwrap_or_else(|| "its values cannot be compared".to_owned());
    Compared {
        name: samples.name.clone(),
        unit: samples.unit.clone(),
        better: samples.better,
        gated: samples.gated,
        judgement: Judgement::impossible(reason),
        figures,
    }
}

/// Corrects the probabilities of the gated measurements.
fn correct(all: &mut [Compared]) {
    let gated = all.iter_mut().filter(|compared| compared.gated);
    let mut gated: Vec<&mut Figures> = gated
        .filter_map(|compared| compared.figures.as_mut())
        .collect();
    let probabilities: Vec<f64> = gated.iter().map(|figures| figures.p).collect();
    for (figures, corrected) in gated.iter_mut().zip(holm(&probabilities)) {
        figures.corrected_p = corrected;
    }
}

/// One failure decides; otherwise all gated measurements must pass, and there must be one.
fn decision(all: &[Compared]) -> Decision {
    let gated = || all.iter().filter(|compared| compared.gated);
    if gated().any(|compared| compared.judgement == Judgement::Failed) {
        Decision::Failed
    } else if gated().count() > 0 && gated().all(|compared| compared.judgement == Judgement::Passed)
    {
        Decision::Passed
    } else {
        Decision::Inconclusive
    }
}
