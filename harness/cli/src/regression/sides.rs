//! The two sides of a comparison, which must be comparable.

use cutover_regression::Measurements;
use serde_json::{Value, json};

use crate::UsageError;

/// The runs of one side.
#[derive(Debug)]
pub(super) struct Side {
    /// The argument that named it.
    pub(super) argument: String,
    pub(super) runs: Vec<Measurements>,
}

impl Side {
    pub(super) fn json(&self) -> Value {
        let first = self.runs.first();
        let ids = self.runs.iter().map(|run| run.run.as_str());
        json!({
            "argument": self.argument,
            "runs": ids.collect::<Vec<_>>(),
            "target": first.map(|run| &run.target),
            "profile": first.map(|run| &run.profile),
            "machine": first.map(|run| &run.machine),
        })
    }
}

/// Refuses runs of different profiles or machines, or one run twice.
pub(super) fn expect_comparable(baseline: &Side, candidate: &Side) -> Result<(), UsageError> {
    let all = || baseline.runs.iter().chain(&candidate.runs);
    let Some(first) = all().next() else {
        return Ok(());
    };
    for run in all() {
        if let Some(difference) = first.differs_in_setting(run) {
            return Err(UsageError::new(
                format!("compare run '{}' with run '{}'", run.run, first.run),
                format!("its {difference}"),
                "compare runs of one profile, measured on one machine",
            ));
        }
    }
    for side in [baseline, candidate] {
        for (index, run) in side.runs.iter().enumerate() {
            if side.runs[..index].iter().any(|other| other.run == run.run) {
                return Err(UsageError::new(
                    format!("compare the runs of '{}'", side.argument),
                    format!("run '{}' is named twice", run.run),
                    "name each run once; a run that counts twice hides how much runs differ",
                ));
            }
            if side.runs[0].target != run.target {
                return Err(UsageError::new(
                    format!("compare the runs of '{}'", side.argument),
                    format!(
                        "their targets are '{}' and '{}'",
                        side.runs[0].target, run.target
                    ),
                    "name runs of one target on each side",
                ));
            }
        }
    }
    Ok(())
}
