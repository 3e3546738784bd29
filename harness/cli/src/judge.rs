//! `cutover judge`: judges a recorded run again, from its directory alone.

use std::path::PathBuf;

use clap::Args;
use cutover_harness::catalog::Catalog;
use cutover_reports::record::Run;
use cutover_reports::render;
use cutover_reports::verdict::judge;
use time::OffsetDateTime;

use crate::CommandError;
use crate::options::{PolicyOption, PrintOptions};
use crate::validate::print_verdict;

/// Judge a recorded run again, with this or another policy
#[derive(Args, Debug)]
pub(super) struct Judge {
    /// Run directory
    #[arg(value_name = "DIR")]
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
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let policy = self.policy.read()?;
        let run = Run::load(&self.run)?;
        if let Some(plan) = &run.plan {
            policy.validate_waivers(plan, &catalog.rules())?;
        }
        let verdict = judge(&run, &policy, OffsetDateTime::now_utc());
        if self.write {
            render::write_all(&self.run, &run, &verdict)?;
        }
        print_verdict(&self.run, &run, &verdict)?;
        Ok(verdict.exit_code(self.strict))
    }
}
