//! `cutover judge`: judges a recorded run again, from its directory alone.

use std::path::PathBuf;

use clap::Args;
use cutover_reports::record::{LoadError, Run};
use cutover_reports::render;
use cutover_reports::verdict::judge;
use time::OffsetDateTime;

use super::CommandError;
use super::common_options::{PolicyOption, PrintOptions};
use crate::validate::print_verdict;

/// Judge a run directory again, with this or another policy
#[derive(Args, Debug)]
pub(super) struct Judge {
    /// The run directory
    run: PathBuf,
    #[command(flatten)]
    policy: PolicyOption,
    /// Exit with 4 instead of 0 on CONDITIONAL
    #[arg(long)]
    strict: bool,
    /// Write the report files of the run again
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    print: PrintOptions,
}

impl Judge {
    pub(super) fn run(self) -> Result<u8, CommandError> {
        self.print.apply();
        let policy = self.policy.read()?;
        let run = Run::load(&self.run).map_err(with_help)?;
        let verdict = judge(&run, &policy, OffsetDateTime::now_utc());
        if self.write {
            render::write_all(&self.run, &run, &verdict)?;
        }
        print_verdict(&self.run, &run, &verdict)?;
        Ok(verdict.exit_code(self.strict))
    }
}

/// The error with its causes, and its remedy on a line of its own.
fn with_help(error: LoadError) -> anyhow::Error {
    let help = error.help();
    anyhow::anyhow!("{:#}\nhelp: {help}", anyhow::Error::new(error))
}
