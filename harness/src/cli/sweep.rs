//! `cutover sweep`: removes what killed runs left behind.

use std::io::Write as _;

use clap::Args;
use cutover_reports::exit;

use super::Trouble;
use crate::stack::{Reach, sweep};

/// Remove what killed runs left behind
#[derive(Args, Debug)]
pub(super) struct Sweep {
    /// Also stacks that `cutover stack up` left running
    #[arg(long)]
    leased: bool,
}

impl Sweep {
    pub(super) fn run(self) -> Result<u8, Trouble> {
        let reach = if self.leased {
            Reach::Leased
        } else {
            Reach::Abandoned
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = runtime.block_on(sweep(&std::env::temp_dir(), reach))?;
        let mut out = anstream::stdout();
        for directory in &report.removed {
            writeln!(out, "removed {}", directory.display())?;
        }
        for error in report.failed {
            writeln!(out, "left    {:#}", anyhow::Error::new(error))?;
        }
        writeln!(
            out,
            "{} stacks removed, {} processes ended",
            report.removed.len(),
            report.processes
        )?;
        Ok(exit::GO)
    }
}
