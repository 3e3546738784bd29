//! `cutover calibrate`: validates with each seeded defect and measures what is detected.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use futures::StreamExt as _;

use crate::calibration::{
    Calibration, Rerun, Settings, Subject, ValidationRunner, choose, line, text,
};
use crate::options::{PrintOptions, default_output};
use crate::output::print_line;
use crate::stack_option::StackOption;
use crate::{CommandError, UsageError, runtime};
use cutover_evidence::interrupt::Interrupt;
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::known_suites;
use cutover_harness::run_directory::new_run_id;

/// Measure detection and false-alarm rates with seeded defects
#[derive(Args, Debug)]
pub(super) struct Calibrate {
    /// Only this suite and the defects that it must detect (may be repeated)
    #[arg(long, value_name = "SUITE", help_heading = "Selection")]
    suite: Vec<String>,
    /// Only these defects (may be repeated)
    #[arg(long, value_name = "ID|SLUG", num_args = 1.., help_heading = "Selection")]
    defect: Vec<String>,
    /// Number of runs without a defect
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Selection"
    )]
    healthy: u16,
    /// Only a random sample of this many defects
    #[arg(long, value_name = "N", help_heading = "Selection")]
    sample: Option<usize>,
    /// Seed of the sample, to repeat it
    #[arg(long, requires = "sample", help_heading = "Selection")]
    seed: Option<u64>,
    /// Continue each validation after a check has detected the defect
    #[arg(long, alias = "whole", help_heading = "Execution")]
    no_early_stop: bool,
    /// Run the first check that detected each defect, or all of them, again alone
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        default_missing_value = "first",
        help_heading = "Execution"
    )]
    rerun: Option<Rerun>,
    #[command(flatten, next_help_heading = "Execution")]
    stack: StackOption,
    /// Number of validations that run in parallel
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=64),
        help_heading = "Execution"
    )]
    jobs: u16,
    /// Directory of all runs
    #[arg(
        long,
        value_name = "DIR",
        default_value_os_t = default_output().to_owned(),
        help_heading = "Output"
    )]
    output: PathBuf,
    #[command(flatten, next_help_heading = "Output")]
    print: PrintOptions,
}

impl Calibrate {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        known_suites(catalog, &self.suite)?;
        let seed = self.seed.unwrap_or_else(rand::random);
        let sample = self.sample.map(|size| (size, seed));
        let subjects = choose(catalog, &self.defect, &self.suite, sample, self.healthy)?;
        let id = new_run_id(time::OffsetDateTime::now_utc());
        let directory = self.output.join(format!("calibration-{id}"));
        let settings = Settings {
            suites: self.suite,
            sample_seed: sample.map(|(_, seed)| seed),
            jobs: self.jobs,
            no_early_stop: self.no_early_stop,
            rerun: self.rerun,
            stack: self.stack.arguments(),
        };
        announce(&settings, subjects.len());
        let runs = directory.join("runs");
        fs::create_dir_all(&runs).map_err(|error| {
            UsageError::new(
                format!("create directory '{}'", runs.display()),
                error,
                "choose another directory with --output",
            )
        })?;
        let calibration =
            calibrate(id, settings, &subjects, runs).map_err(CommandError::Internal)?;
        calibration
            .write(&directory)
            .with_context(|| format!("write to directory '{}'", directory.display()))
            .map_err(CommandError::Internal)?;
        print_line(format!(
            "{}\nevidence: {}",
            text(&calibration),
            directory.display()
        ))?;
        Ok(match calibration.interrupted {
            Some(_) => exit::INCONCLUSIVE,
            None if calibration.is_right() => exit::GO,
            None => exit::NO_GO,
        })
    }
}

fn announce(settings: &Settings, subjects: usize) {
    let sample = settings
        .sample_seed
        .map(|seed| format!(" · sample with seed {seed}"));
    // Progress is optional: a closed standard error must not stop the calibration.
    let _ = writeln!(
        anstream::stderr(),
        "{subjects} validations, {} in parallel{}",
        settings.jobs,
        sample.unwrap_or_default(),
    );
}

/// Validates all subjects, several in parallel, and prints each outcome.
fn calibrate(
    id: String,
    settings: Settings,
    subjects: &[Subject],
    runs: PathBuf,
) -> anyhow::Result<Calibration> {
    let runtime = runtime::multi_thread()?;
    let runner = ValidationRunner {
        program: std::env::current_exe().context("find the binary of cutover")?,
        runs,
        suites: settings.suites.clone(),
        no_early_stop: settings.no_early_stop,
        rerun: settings.rerun,
        stack: settings.stack.clone(),
        interrupt: Interrupt::new(),
    };
    runner
        .interrupt
        .listen(runtime.handle())
        .context("install the signal handlers")?;
    let started = Instant::now();
    let jobs = usize::from(settings.jobs);
    let validate = async |subject: &Subject| {
        let outcome = runner.run(*subject).await?;
        // See `announce`.
        let _ = writeln!(anstream::stderr(), "{}", line(&outcome));
        Some(outcome)
    };
    let mut outcomes: Vec<_> = runtime.block_on(
        futures::stream::iter(subjects.iter().enumerate())
            .map(async |(index, subject)| Some((index, validate(subject).await?)))
            .buffer_unordered(jobs)
            .filter_map(async |outcome| outcome)
            .collect(),
    );
    outcomes.sort_by_key(|(index, _)| *index);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    let interrupted = runner.interrupt.by();
    Ok(Calibration::new(id, settings, outcomes, started.elapsed()).interrupted(interrupted))
}
