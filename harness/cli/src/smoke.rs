//! `cutover smoke`: the smoke test right after cutover.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use super::common_options::{
    PolicyOption, PrintOptions, TargetOption, VerbosityOptions, default_output,
};
use super::validate::{Depth, Validate};
use cutover_harness::catalog::Catalog;

/// Follow one synthetic document through a live target, look at its doors, leave nothing behind
#[derive(Args, Debug)]
pub(super) struct Smoke {
    #[command(flatten)]
    target: TargetOption,
    #[command(flatten)]
    policy: PolicyOption,
    /// Refuse a target that runs another commit
    #[arg(long, value_name = "COMMIT")]
    expect_commit: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
    /// Exit with 4 instead of 0 on CONDITIONAL
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    verbosity: VerbosityOptions,
    #[command(flatten)]
    print: PrintOptions,
}

impl Smoke {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        let validate = Validate {
            expect_commit: self.expect_commit,
            dry_run: self.dry_run,
            output: self.output,
            strict: self.strict,
            verbosity: self.verbosity,
            ..Validate::of(self.target, self.policy, self.print, Depth::Smoke)
        };
        validate.run(catalog)
    }
}
