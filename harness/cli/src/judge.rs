//! `cutover judge`: the verdict again, from the run directory alone.

use std::path::PathBuf;

use clap::Args;
use cutover_reports::record::Run;
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
    /// Write verdict.json, junit.xml and summary.md again
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    print: PrintOptions,
}

impl Judge {
    pub(super) fn run(self) -> Result<u8, CommandError> {
        self.print.apply();
        let policy = self.policy.read()?;
        let run = Run::load(&self.run)?;
        let verdict = judge(&run, &policy, OffsetDateTime::now_utc());
        if self.write {
            render::write_all(&self.run, &run, &verdict)?;
        }
        print_verdict(&self.run, &run, &verdict)?;
        Ok(verdict.exit_code(self.strict))
    }
}
