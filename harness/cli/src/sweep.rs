//! `cutover sweep`: removes what killed runs left behind.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use cutover_reports::exit;

use super::CommandError;
use super::common_options::default_output;
use cutover_fault::Links;
use cutover_harness::catalog::Catalog;
use cutover_harness::runner::{Residue, remove_residue};
use cutover_harness::target_file::Target;
use cutover_stack::{ContainerError, SweepError, SweepScope, sweep, sweep_containers};

/// Remove what killed runs left behind
#[derive(Args, Debug)]
pub(super) struct Sweep {
    /// Also stacks that `cutover stack up` left running
    #[arg(long)]
    leased: bool,
    /// Also what killed runs left on this target, which somebody else runs
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// The directory of those runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
}

impl Sweep {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        let reach = if self.leased {
            SweepScope::Leased
        } else {
            SweepScope::Abandoned
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let root = std::env::temp_dir();
        let report = runtime.block_on(sweep(&root, reach))?;
        let ran = match runtime.block_on(sweep_containers(&root)) {
            // Where there is no Docker, there is nothing of ours in it.
            Err(SweepError::Containers(
                ContainerError::Unreachable { .. } | ContainerError::Forbidden,
            )) => 0,
            outcome => outcome?,
        };
        let mut out = anstream::stdout();
        for directory in &report.removed {
            writeln!(out, "removed {}", directory.display())?;
        }
        let failed = report.failed.len();
        for error in report.failed {
            writeln!(out, "left    {:#}", anyhow::Error::new(error))?;
        }
        writeln!(
            out,
            "{} stacks removed, {} processes ended",
            report.removed.len(),
            report.processes + ran
        )?;
        // Whoever relies on a clean machine must hear that it is not.
        let swept = if failed == 0 {
            exit::GO
        } else {
            exit::INCONCLUSIVE
        };
        let Some(path) = &self.target else {
            return Ok(swept);
        };
        let target = Target::read(path)?;
        let contract = target.contract(catalog.contract.text)?;
        let _links = Links::open(&target.links)?;
        let Residue {
            removed,
            left,
            restored,
        } = runtime.block_on(remove_residue(&self.output, &target, contract))?;
        writeln!(
            out,
            "target {}: {removed} documents removed, {left} left, {restored} instructions put it back",
            target.name
        )?;
        Ok(if left == 0 { swept } else { exit::INCONCLUSIVE })
    }
}
