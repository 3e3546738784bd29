//! `cutover stack`: a stack that outlives the command, for development and for test runners.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use cutover_reports::exit;
use rustix::process::{Pid, test_kill_process};
use tokio::runtime::Handle;

use crate::options::TargetOption;
use crate::output::print_line;
use crate::stack_option::StackOption;
use crate::{CommandError, UsageError, runtime};
use cutover_evidence::interrupt::Interrupt;
use cutover_harness::catalog::Catalog;
use cutover_harness::reference::StackRequest;
use cutover_stack::{Stack, StackInfo, SweepScope, newest_leased, stop_by_directory, sweep};

/// How often `--follow` checks whether the process still runs.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Start or stop a reference stack that outlives the command
#[derive(Args, Debug)]
pub(super) struct StackCommand {
    #[command(subcommand)]
    verb: StackVerb,
}

#[derive(Debug, Subcommand)]
enum StackVerb {
    /// Start a stack, print its directory and leave it running
    Up(Up),
    /// Stop the newest stack that was left running
    Down,
}

#[derive(Args, Debug)]
struct Up {
    #[command(flatten)]
    target: TargetOption,
    #[command(flatten)]
    stack: StackOption,
    /// Start it with this seeded defect (see `cutover list --defects`)
    #[arg(long, value_name = "ID|SLUG")]
    defect: Option<String>,
    /// Minutes after which `cutover sweep` may remove it
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    ttl: u32,
    /// Keep running, and stop the stack when this process ends
    #[arg(long, value_name = "PID")]
    follow: Option<i32>,
}

impl StackCommand {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        let runtime = runtime::multi_thread()?;
        match self.verb {
            StackVerb::Up(up) => runtime.block_on(up.run(catalog, runtime.handle()))?,
            StackVerb::Down => runtime.block_on(down())?,
        }
        Ok(exit::GO)
    }
}

impl Up {
    async fn run(self, catalog: &Catalog, runtime: &Handle) -> anyhow::Result<()> {
        let root = std::env::temp_dir();
        sweep(&root, SweepScope::Abandoned).await?;
        let mut target = self.target.read(catalog)?;
        self.stack.apply(&mut target)?;
        let contract = target.contract(catalog.contract.text)?;
        let defect = self
            .defect
            .as_deref()
            .map(|id| catalog.defect(id))
            .transpose()?;
        let request = StackRequest {
            target: &target,
            contract: &contract,
            defect,
        };
        let program = std::env::current_exe().context("find the binary of cutover")?;
        let spec = catalog.reference.stack_spec(program, &request);
        // The stack outlives this process, and links do not.
        let spec = spec.without_links();
        let interrupt = Interrupt::new();
        interrupt
            .listen(runtime)
            .context("install the signal handlers")?;
        let stack = tokio::select! {
            stack = Stack::start(&spec) => stack?,
            by = interrupt.asked() => {
                return Err(anyhow::anyhow!("interrupted by {by}").context("start the stack"));
            }
        };
        announce(stack.info()).context("print the addresses of the stack")?;
        match self.follow {
            None => drop(stack.detach(Duration::from_mins(1) * self.ttl)?),
            Some(process) => {
                tokio::select! {
                    () = wait_until_gone(process) => {}
                    _ = interrupt.asked() => {}
                }
                stack.stop().await?;
            }
        }
        Ok(())
    }
}

/// Prints the directory on standard output, for programs, and the addresses on standard error.
fn announce(stack: &StackInfo) -> io::Result<()> {
    writeln!(anstream::stdout(), "{}", stack.directory.display())?;
    let mut stderr = anstream::stderr();
    writeln!(stderr, "api       {}", stack.api_url)?;
    for (name, url) in &stack.endpoints {
        writeln!(stderr, "{name:<9} {url}")?;
    }
    writeln!(stderr, "secrets   {}/stack.json", stack.directory.display())
}

async fn wait_until_gone(process: i32) {
    let Some(process) = Pid::from_raw(process) else {
        return;
    };
    let mut interval = tokio::time::interval(POLL_INTERVAL);
    while test_kill_process(process).is_ok() {
        interval.tick().await;
    }
}

async fn down() -> anyhow::Result<()> {
    let stack = newest_leased(&std::env::temp_dir()).ok_or_else(|| {
        UsageError::new(
            "stop a stack",
            "no stack was left running",
            "`cutover stack up` starts one",
        )
    })?;
    stop_by_directory(&stack.directory).await?;
    print_line(format!("stopped {}", stack.id))
}
