//! One measurement in the runs of both sides, or why it cannot be compared.

use std::collections::BTreeSet;

use crate::mann_whitney::MOST;
use crate::measurements::{Better, Measurement, Measurements};

/// One measurement in the runs of both sides.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    pub(crate) gated: bool,
    /// The values of both sides, or why they cannot be compared.
    pub(crate) sides: Result<Sides, String>,
}

/// The values of both sides, one for each run.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    pub(crate) baseline: Vec<f64>,
    pub(crate) candidate: Vec<f64>,
}

/// Every measurement of any run, in order of first appearance.
pub(crate) fn samples(baseline: &[Measurements], candidate: &[Measurements]) -> Vec<Samples> {
    let all = || baseline.iter().chain(candidate).flat_map(|run| &run.values);
    let mut seen = BTreeSet::new();
    let first = all().filter(|measurement| seen.insert(&measurement.name));
    let samples = first.map(|first| {
        let same = || all().filter(|other| other.name == first.name);
        let differs = same().any(|other| (&other.unit, other.better) != (&first.unit, first.better));
        let sides = if differs {
            Err("its unit or direction differs between runs; compare runs of one version of the suite".to_owned())
        } else {
            sides(&first.name, baseline, candidate)
        };
        Samples {
            name: first.name.clone(),
            unit: first.unit.clone(),
            better: first.better,
            // One run that says that it matters suffices.
            gated: same().any(|other| other.gated),
            sides,
        }
    });
    samples.collect()
}

fn sides(
    name: &str,
    baseline: &[Measurements],
    candidate: &[Measurements],
) -> Result<Sides, String> {
    Ok(Sides {
        baseline: side(name, "baseline", baseline)?,
        candidate: side(name, "candidate", candidate)?,
    })
}

/// The value of every run. A run without one is not left out: what made it invalid may be the regression.
fn side(name: &str, side: &str, runs: &[Measurements]) -> Result<Vec<f64>, String> {
    if runs.is_empty() {
        return Err(format!("there is no run of the {side}"));
    }
    if runs.len() > MOST {
        let count = runs.len();
        return Err(format!(
            "there are {count} runs of the {side}; compare at most {MOST}"
        ));
    }
    let values = runs.iter().map(|run| {
        let value = run.get(name).map(Measurement::usable);
        let value = value.unwrap_or_else(|| Err("it was not measured".to_owned()));
        value.map_err(|reason| format!("{side} run {}: {reason}", run.run))
    });
    values.collect()
}

impl Samples {
    /// The values in order of the direction of a regression: greater ones of the second series are worse.
    pub(crate) fn toward_worse<'a>(&self, sides: &'a Sides) -> (&'a [f64], &'a [f64]) {
        match self.better {
            Better::Lower => (&sides.baseline, &sides.candidate),
            Better::Higher => (&sides.candidate, &sides.baseline),
        }
    }
}
