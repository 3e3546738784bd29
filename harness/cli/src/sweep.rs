//! `cutover sweep`: removes what killed runs left behind.

use std::path::{Path, PathBuf};

use clap::Args;
use cutover_reports::exit;
use tokio::runtime::Runtime;

use crate::options::default_output;
use crate::output::print_line;
use crate::{CommandError, runtime};
use cutover_fault::Links;
use cutover_harness::catalog::Catalog;
use cutover_harness::runner::{Residue, remove_residue};
use cutover_harness::target_file::Target;
use cutover_stack::{ContainerError, SweepError, SweepScope, sweep, sweep_containers};

/// Remove what killed runs left behind
#[derive(Args, Debug)]
pub(super) struct Sweep {
    /// Also remove stacks that `cutover stack up` left running
    #[arg(long)]
    leased: bool,
    /// Also remove the documents that killed runs left on this target
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
}

impl Sweep {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        let runtime = runtime::current_thread()?;
        let are_stacks_removed = self.sweep_stacks(&runtime)?;
        let is_target_clean = match &self.target {
            Some(path) => self.sweep_target(path, catalog, &runtime)?,
            None => true,
        };
        // A caller that relies on a clean machine needs a code that says it is not.
        Ok(if are_stacks_removed && is_target_clean {
            exit::GO
        } else {
            exit::INCONCLUSIVE
        })
    }

    /// Removes stacks of this machine; returns whether all of them are removed.
    fn sweep_stacks(&self, runtime: &Runtime) -> anyhow::Result<bool> {
        let scope = if self.leased {
            SweepScope::Leased
        } else {
            SweepScope::Abandoned
        };
        let root = std::env::temp_dir();
        let report = runtime.block_on(sweep(&root, scope))?;
        let containers = match runtime.block_on(sweep_containers(&root)) {
            // Without Docker there are no containers to remove.
            Err(SweepError::Containers(
                ContainerError::Unreachable { .. } | ContainerError::Forbidden,
            )) => 0,
            result => result?,
        };
        for directory in &report.removed {
            print_line(format!("removed {}", directory.display()))?;
        }
        let is_complete = report.failed.is_empty();
        for error in report.failed {
            let error = anyhow::Error::new(error);
            print_line(format!("left    failed to {error:#}"))?;
        }
        print_line(format!(
            "{} stacks removed, {} processes ended",
            report.removed.len(),
            report.processes + containers
        ))?;
        Ok(is_complete)
    }

    /// Removes the documents of killed runs from a target; returns whether none are left.
    fn sweep_target(
        &self,
        path: &Path,
        catalog: &Catalog,
        runtime: &Runtime,
    ) -> anyhow::Result<bool> {
        let target = Target::read(path)?;
        let contract = target.contract(catalog.contract.text)?;
        let _links = Links::open(&target.links)?;
        let Residue {
            removed,
            left,
            restored,
        } = runtime.block_on(remove_residue(&self.output, &target, contract))?;
        print_line(format!(
            "target {}: {removed} documents removed, {left} left, {restored} control actions undone",
            target.name
        ))?;
        if left > 0 {
            print_line(
                "left    documents that the target still shows, or whose deletion cannot be proved: no route, list or row \
                 that showed a document says that they are gone",
            )?;
        }
        Ok(left == 0)
    }
}
