//! `cutover baseline`: keeps the measurements of runs, to compare later runs with.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use cutover_regression::{BASELINES, Baselines, Measurements, floor, median, noise};
use cutover_reports::exit;

use super::table::{plain, value};
use crate::CommandError;
use crate::output::{print, print_line};

/// Keep the measurements of runs, to compare later runs with
#[derive(Args, Debug)]
pub(crate) struct BaselineCommand {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    directory: BaselinesOption,
}

/// Where baselines are.
#[derive(Args, Debug)]
pub(super) struct BaselinesOption {
    /// Directory of all baselines
    #[arg(long, value_name = "DIR", default_value = BASELINES, global = true)]
    baselines: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add the measurements of a run to a baseline; the first run creates it
    Save {
        /// Run directory with a `measurements.json`
        #[arg(value_name = "RUN_DIR")]
        run: PathBuf,
        /// The name of the baseline
        #[arg(long, default_value = "default")]
        name: String,
    },
    /// List the baselines
    List,
    /// Show the runs of a baseline, and the noise of its measurements
    Show {
        /// The name of the baseline
        name: String,
    },
}

impl Default for BaselinesOption {
    fn default() -> Self {
        Self {
            baselines: BASELINES.into(),
        }
    }
}

impl BaselinesOption {
    pub(super) fn open(&self) -> Baselines {
        Baselines::new(&self.baselines)
    }
}

impl BaselineCommand {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        let baselines = self.directory.open();
        match self.verb {
            Verb::Save { run, name } => {
                let measurements = Measurements::read(&run)?;
                let file = baselines.save(&name, &measurements)?;
                let count = baselines.load(&name)?.len();
                let file = file.display();
                print_line(format!(
                    "baseline {name}: {count} runs, the new one is {file}"
                ))?;
            }
            Verb::List => {
                let names = baselines.list()?;
                if names.is_empty() {
                    print_line("no baselines; save runs with `cutover baseline save RUN_DIR`")?;
                }
                for name in names {
                    let runs = baselines.load(&name)?;
                    print_line(summary(&name, &runs))?;
                }
            }
            Verb::Show { name } => print(&shown(&name, &baselines.load(&name)?))?,
        }
        Ok(exit::GO)
    }
}

fn summary(name: &str, runs: &[Measurements]) -> String {
    let count = runs.len();
    let Some(first) = runs.first() else {
        return format!("{name}: no runs");
    };
    let (target, profile) = (plain(&first.target), plain(&first.profile));
    format!("{name}: target {target}, profile {profile}, runs: {count}")
}

fn shown(name: &str, runs: &[Measurements]) -> String {
    let mut text = format!("{}\n", summary(name, runs));
    // Writing to a text does not fail.
    let _ = write_measurements(&mut text, runs);
    text
}

fn write_measurements(text: &mut String, runs: &[Measurements]) -> std::fmt::Result {
    let Some(first) = runs.first() else {
        return Ok(());
    };
    writeln!(text, "machine: {}", plain(&first.machine.to_string()))?;
    for run in runs {
        writeln!(text, "  {}", plain(&run.run))?;
    }
    writeln!(
        text,
        "{:<40}{:>12}{:>12}{:>12}",
        "measurement", "median", "noise", "limit"
    )?;
    for measurement in &first.values {
        let usable = |run: &Measurements| run.get(&measurement.name)?.usable().ok();
        let values: Vec<f64> = runs.iter().filter_map(usable).collect();
        let label = plain(&format!("{}, {}", measurement.name, measurement.unit));
        if values.len() < runs.len() {
            writeln!(text, "{label:<40}{:>12}", "incomplete")?;
            continue;
        }
        let (median, noise) = (value(median(&values)), noise(&values));
        let (noise, limit) = (noise * 100.0, floor(noise) * 100.0);
        writeln!(
            text,
            "{label:<40}{median:>12}{noise:>10.1} %{limit:>10.1} %"
        )?;
    }
    Ok(())
}
