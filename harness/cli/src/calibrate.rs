//! `cutover calibrate`: validate with each seeded defect, and count what is noticed.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use futures::StreamExt as _;

use super::CommandError;
use super::common_options::{PrintOptions, default_output};
use super::stack_option::StackOption;
use crate::calibration::{Calibration, Settings, Subject, ValidationRunner, choose, line, text};
use cutover_evidence::interrupt::Interrupt;
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::known_suites;
use cutover_harness::run_directory::new_run_id;

/// Validate with each seeded defect, and count what is noticed
#[derive(Args, Debug)]
pub(super) struct Calibrate {
    /// Only this suite (may be repeated), and the defects that it must notice
    #[arg(long, value_name = "SUITE")]
    suite: Vec<String>,
    /// Only these defects (may be repeated)
    #[arg(long, value_name = "ID", num_args = 1..)]
    defect: Vec<String>,
    /// So many validations of a sound stack besides
    #[arg(long, value_name = "N", default_value_t = 0)]
    healthy: u16,
    /// Only so many of the defects, drawn by chance
    #[arg(long, value_name = "K")]
    sample: Option<usize>,
    /// The seed of that chance, to repeat a draw
    #[arg(long, value_name = "S", requires = "sample")]
    seed: Option<u64>,
    /// Go on with a validation when a check that must notice its defect has
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    stack: StackOption,
    /// Validations at a time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// The directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
    #[command(flatten)]
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
            whole: self.whole,
            stack: self.stack.words(),
        };
        announce(&settings, subjects.len());
        let runs = directory.join("runs");
        fs::create_dir_all(&runs).with_context(|| {
            format!(
                "make '{}'; choose another place with --output",
                runs.display()
            )
        })?;
        let calibration =
            calibrate(id, settings, &subjects, runs).map_err(CommandError::Internal)?;
        calibration
            .write(&directory)
            .with_context(|| format!("write '{}'", directory.display()))
            .map_err(CommandError::Internal)?;
        let mut out = anstream::stdout();
        writeln!(
            out,
            "{}\nevidence: {}",
            text(&calibration),
            directory.display()
        )?;
        Ok(match calibration.interrupted {
            Some(_) => exit::INCONCLUSIVE,
            None if calibration.is_right() => exit::GO,
            None => exit::NO_GO,
        })
    }
}

fn announce(settings: &Settings, subjects: usize) {
    let drawn = settings
        .sample_seed
        .map(|seed| format!(" · sample of seed {seed}"));
    // A closed standard error is no reason to stop.
    let _ = writeln!(
        anstream::stderr(),
        "{subjects} validations, {} at a time{}",
        settings.jobs,
        drawn.unwrap_or_default(),
    );
}

/// Validates all subjects, some at a time, and says how each went.
fn calibrate(
    id: String,
    settings: Settings,
    subjects: &[Subject],
    runs: PathBuf,
) -> anyhow::Result<Calibration> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let examiner = ValidationRunner {
        program: std::env::current_exe().context("find cutover's own binary")?,
        runs,
        suites: settings.suites.clone(),
        whole: settings.whole,
        stack: settings.stack.clone(),
        interrupt: Interrupt::new(),
    };
    examiner.interrupt.listen(runtime.handle())?;
    let began = Instant::now();
    let at_a_time = usize::from(settings.jobs);
    let examine = async |subject: &Subject| {
        let reading = examiner.examine(*subject).await?;
        let _ = writeln!(anstream::stderr(), "{}", line(&reading));
        Some(reading)
    };
    let mut readings: Vec<_> = runtime.block_on(
        futures::stream::iter(subjects.iter().enumerate())
            .map(async |(place, subject)| Some((place, examine(subject).await?)))
            .buffer_unordered(at_a_time)
            .filter_map(async |read| read)
            .collect(),
    );
    readings.sort_by_key(|(place, _)| *place);
    let readings = readings.into_iter().map(|(_, reading)| reading).collect();
    let by = examiner.interrupt.by();
    Ok(Calibration::new(id, settings, readings, began.elapsed()).interrupted(by))
}
