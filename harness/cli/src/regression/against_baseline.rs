//! `cutover validate --baseline`: compares the measurements of a run with those of a baseline.

use std::path::Path;

use clap::Args;
use cutover_harness::runner::this_machine;
use cutover_regression::{Compared, Comparison, Decision, FORMAT, Judgement, Measurements};
use cutover_reports::record::{ComparisonResult, Plan, Run, RunEvent};
use cutover_reports::render::measurements_of;

use super::baseline::BaselinesOption;
use super::sides::{Side, expect_comparable};
use crate::UsageError;

/// The seed of the intervals: the same runs always give the same result.
const SEED: u64 = 1;

/// With what a run is compared.
#[derive(Args, Debug, Default)]
pub(crate) struct BaselineOption {
    /// Compare what this run measures with a baseline; what cannot be told is INCONCLUSIVE
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    baseline: Option<String>,
    #[command(flatten)]
    directory: BaselinesOption,
}

/// The runs of a baseline, which the runs of a plan can be compared with.
pub(crate) struct Baseline {
    side: Side,
}

impl BaselineOption {
    /// Reads the baseline, before anything runs.
    ///
    /// # Errors
    /// If it does not exist, cannot be read, or is of another target, profile or machine.
    pub(crate) fn read(&self, plan: &Plan) -> anyhow::Result<Option<Baseline>> {
        let Some(name) = &self.baseline else {
            return Ok(None);
        };
        let runs = self.directory.open().load(name)?;
        let candidate = Measurements {
            format: FORMAT,
            run: plan.run.clone(),
            target: plan.target.name.clone(),
            profile: plan.profile.to_string(),
            machine: this_machine(),
            values: Vec::new(),
        };
        let other = runs.iter().find(|run| run.target != candidate.target);
        if let Some(other) = other {
            return Err(UsageError::new(
                format!("compare this run with baseline '{name}'"),
                format!(
                    "its target is '{}', and that of this run is '{}'",
                    other.target, candidate.target
                ),
                "name a baseline of this target; `cutover compare` compares two targets",
            )
            .into());
        }
        let side = Side {
            argument: name.clone(),
            runs,
        };
        let candidate = Side {
            argument: "this run".to_owned(),
            runs: vec![candidate],
        };
        expect_comparable(&side, &candidate)?;
        Ok(Some(Baseline { side }))
    }
}

impl Baseline {
    /// Compares the run in a directory, whose checks have ended, with the baseline.
    pub(crate) fn compare(&self, directory: &Path) -> anyhow::Result<RunEvent> {
        let run = Run::load(directory)?;
        let comparison = Comparison::new(&self.side.runs, &[measurements_of(&run)], SEED);
        let result = match comparison.decision {
            Decision::Passed => ComparisonResult::Passed,
            Decision::Failed => ComparisonResult::Failed,
            Decision::Inconclusive => ComparisonResult::Inconclusive,
        };
        let mut reasons: Vec<String> = comparison.problem.iter().cloned().collect();
        let gated = comparison
            .measurements
            .iter()
            .filter(|compared| compared.gated);
        reasons.extend(gated.filter_map(reason));
        Ok(RunEvent::Compared {
            baseline: self.side.argument.clone(),
            runs: self.side.runs.len(),
            result,
            reasons,
        })
    }
}

/// Why a measurement did not pass.
fn reason(compared: &Compared) -> Option<String> {
    match &compared.judgement {
        Judgement::Passed => None,
        Judgement::Failed => {
            let change = compared.figures.as_ref().map(|it| (it.ratio - 1.0) * 100.0);
            Some(format!(
                "{} is worse by {:.0} %",
                compared.name,
                change.unwrap_or_default()
            ))
        }
        Judgement::Inconclusive { reason, further } => {
            let further = further.map(|further| {
                format!(
                    "; more runs are needed, about {} of the baseline and {} of this build: `cutover compare` makes them",
                    further.baseline, further.candidate
                )
            });
            Some(format!(
                "{}: {reason}{}",
                compared.name,
                further.unwrap_or_default()
            ))
        }
    }
}
