//! `cutover merge`: joins the reports of several generators that sent one load together.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use cutover_load::join;

use super::outcome::{Outcome, Validities};
use super::shard_file::{files, read};
use super::threshold::Threshold;
use super::{phase, text};
use crate::CommandError;
use crate::output::{print, print_line};

/// Join the reports of all shards of a load, as `cutover load --shard I/N --json` prints them
///
/// Exit code 0: the thresholds are met; 1: one is missed; 2: a shard is lost, duplicate or of another
/// load; 3: not a valid measurement
#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// Files, or directories with files that end with `.json`
    #[arg(value_name = "DIR", required = true)]
    reports: Vec<PathBuf>,
    /// A limit such as p99<200ms, service.p50<5ms, errors<1% or ramp:p99<1s; may be repeated
    #[arg(long = "threshold", value_name = "LIMIT")]
    thresholds: Vec<Threshold>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Merge {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        let files = files(&self.reports)?;
        let shards = files.iter().map(|file| read(file));
        let shards = shards.collect::<Result<Vec<_>, _>>()?;
        let duration = shards.iter().map(|shard| shard.duration).max();
        let first = shards.first();
        let phases = first.map_or_else(Vec::new, |shard| phase::names(&shard.settings));
        phase::expect_phases(&phases, &self.thresholds)?;
        let joined = join(shards)?;
        // Each generator judged its own seconds and machine.
        let validities = Validities::new(&joined.report, &[], None);
        let outcome = Outcome {
            validities: validities.context("judge the load")?,
            total: joined
                .report
                .total()
                .context("add the phases of the load")?,
            report: &joined.report,
            duration: duration.unwrap_or(Duration::ZERO),
            phases,
            thresholds: &self.thresholds,
            problem: joined.invalid,
            part: None,
        };
        if self.json {
            print_line(outcome.json())?;
        } else {
            print(&text::text(&outcome))?;
        }
        Ok(outcome.code())
    }
}
