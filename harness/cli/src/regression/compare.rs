//! `cutover compare`: compares the measurements of two sets of runs.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cutover_evidence::interrupt::Interrupt;
use cutover_harness::run_directory::new_run_id;
use cutover_regression::{Comparison, Decision};
use cutover_reports::exit;
use cutover_reports::record::Profile;
use serde_json::json;
use time::OffsetDateTime;

use super::baseline::BaselinesOption;
use super::measuring::{Measuring, Turn, Unmeasured, turns};
use super::sides::{Side, expect_comparable};
use super::subject::{Subject, subject};
use super::table::table;
use crate::error_message::error_message;
use crate::options::{PrintOptions, default_output, profile_parser};
use crate::output::{print, print_line};
use crate::{CommandError, UsageError, runtime};

/// Compare the measurements of B with those of A
///
/// A and B are run directories, separated by commas; a directory of runs; the name of a baseline; or a
/// target file, which is then measured by runs of the suite `performance`.
/// Exit code 0: B is not worse; 1: B is worse; 3: that cannot be told
#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// What to compare with
    #[arg(value_name = "A")]
    baseline: String,
    /// What to judge
    #[arg(value_name = "B")]
    candidate: String,
    /// Runs of each target file
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=60))]
    runs: u16,
    /// Profile of the runs of target files
    #[arg(long, default_value_t = Profile::Gate, value_parser = profile_parser())]
    profile: Profile,
    /// Seed of the runs and of the intervals, to repeat a comparison
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
    #[command(flatten)]
    directory: BaselinesOption,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    print: PrintOptions,
}

impl Compare {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        self.print.apply();
        let baselines = self.directory.open();
        let subjects = [
            subject(&self.baseline, &baselines)?,
            subject(&self.candidate, &baselines)?,
        ];
        let measured = match self.measure(subjects) {
            Ok(measured) => measured,
            Err(error) => return unmeasured(error),
        };
        let [baseline, candidate] = measured;
        let baseline = Side {
            argument: self.baseline,
            runs: baseline,
        };
        let candidate = Side {
            argument: self.candidate,
            runs: candidate,
        };
        expect_comparable(&baseline, &candidate)?;
        let comparison = Comparison::new(&baseline.runs, &candidate.runs, self.seed);
        if self.json {
            print_line(json!({
                "schema": 1,
                "baseline": baseline.json(),
                "candidate": candidate.json(),
                "comparison": comparison,
            }))?;
        } else {
            print(&table(&baseline, &candidate, &comparison))?;
        }
        Ok(match comparison.decision {
            Decision::Passed => exit::GO,
            Decision::Failed => exit::NO_GO,
            Decision::Inconclusive => exit::INCONCLUSIVE,
        })
    }

    /// The runs of both sides; those of target files are made now.
    fn measure(
        &self,
        subjects: [Subject; 2],
    ) -> anyhow::Result<[Vec<cutover_regression::Measurements>; 2]> {
        let mut runs = [Vec::new(), Vec::new()];
        let mut targets = [None, None];
        for (side, subject) in subjects.into_iter().enumerate() {
            match subject {
                Subject::Runs(found) => runs[side] = found,
                Subject::Target(path) => targets[side] = Some(path),
            }
        }
        let turns = turns(self.runs, [targets[0].is_some(), targets[1].is_some()]);
        if turns.is_empty() {
            return Ok(runs);
        }
        let runtime = runtime::multi_thread()?;
        let measuring = self.measuring(runtime.handle())?;
        for (done, turn) in turns.iter().enumerate() {
            let side = usize::from(turn.is_candidate);
            let Some(target) = &targets[side] else {
                continue;
            };
            announce(turn, done + 1, turns.len());
            runs[side].push(runtime.block_on(measuring.run(target, turn))?);
        }
        Ok(runs)
    }

    fn measuring(&self, runtime: &tokio::runtime::Handle) -> anyhow::Result<Measuring> {
        let interrupt = Interrupt::new();
        interrupt
            .listen(runtime)
            .context("install the signal handlers")?;
        let id = new_run_id(OffsetDateTime::now_utc());
        let runs = self.output.join(format!("comparison-{id}"));
        fs::create_dir_all(&runs).map_err(|error| {
            let action = format!("create directory '{}'", runs.display());
            UsageError::new(action, error, "choose another directory with --output")
        })?;
        Ok(Measuring {
            program: std::env::current_exe().context("find the binary of cutover")?,
            runs,
            profile: self.profile,
            seed: self.seed,
            interrupt,
        })
    }
}

/// A run without measurements ends the comparison: the others would be fewer than was asked for.
fn unmeasured(error: anyhow::Error) -> Result<u8, CommandError> {
    let Some(unmeasured) = error.downcast_ref::<Unmeasured>() else {
        return Err(error.into());
    };
    let code = unmeasured.code;
    anstream::eprintln!("{}", error_message(&error));
    Ok(code)
}

fn announce(turn: &Turn, number: usize, of: usize) {
    let side = if turn.is_candidate { "B" } else { "A" };
    anstream::eprintln!("run {number} of {of}: {side}");
}
