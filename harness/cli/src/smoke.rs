//! `cutover smoke`: the smoke test of a deployed system.

use std::path::PathBuf;

use clap::Args;
use cutover_reports::record::Profile;

use crate::options::{PolicyOption, PrintOptions, TargetOption, VerbosityOptions, default_output};
use crate::validate::Validate;
use crate::{CommandError, UsageError};
use cutover_harness::catalog::Catalog;

/// Run the production-safe smoke test
#[derive(Args, Debug)]
#[command(override_usage = "cutover smoke <--target <FILE>|--local> [OPTIONS]")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Smoke {
    /// Target file
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    target: Option<PathBuf>,
    /// Test the embedded reference stack instead of a deployed target
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    policy: PolicyOption,
    /// Refuse a target that runs another commit
    #[arg(long, value_name = "COMMIT")]
    expect_commit: Option<String>,
    /// Print what the run would do, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Directory of all runs
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
        if self.target.is_none() && !self.local {
            let error = UsageError::new(
                "select a target",
                "neither --target nor --local is given",
                "name the target file with --target, or test the embedded reference stack with --local",
            );
            return Err(error.into());
        }
        let target = TargetOption {
            target: self.target,
        };
        let validate = Validate {
            expect_commit: self.expect_commit,
            dry_run: self.dry_run,
            output: self.output,
            strict: self.strict,
            verbosity: self.verbosity,
            ..Validate::with_defaults(target, self.policy, self.print, Profile::Smoke)
        };
        validate.run(catalog)
    }
}
