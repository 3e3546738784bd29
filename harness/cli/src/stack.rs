//! `cutover stack`: a stack that outlives the command, for development and for test runners.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::{Args, Subcommand};
use cutover_reports::exit;
use rustix::process::{Pid, test_kill_process};

use super::CommandError;
use super::common_options::TargetOption;
use super::stack_option::StackOption;
use cutover_evidence::interrupt::Interrupt;
use cutover_harness::catalog::Catalog;
use cutover_harness::reference::StackRequest;
use cutover_stack::{Stack, StackInfo, SweepScope, newest_leased, stop_by_directory, sweep};

/// How often a keeper looks whether the process it follows still lives.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Start or stop a stack that outlives the command
#[derive(Args, Debug)]
pub(super) struct StackCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
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
    /// Start it with this seeded defect
    #[arg(long, value_name = "ID")]
    defect: Option<String>,
    /// After how many minutes `cutover sweep` may remove it
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    ttl: u32,
    /// Stay, and stop the stack when this process ends
    #[arg(long, value_name = "PID")]
    follow: Option<i32>,
}

impl StackCommand {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        match self.verb {
            Verb::Up(up) => runtime.block_on(up.run(catalog, runtime.handle()))?,
            Verb::Down => runtime.block_on(down())?,
        }
        Ok(exit::GO)
    }
}

impl Up {
    async fn run(self, catalog: &Catalog, runtime: &tokio::runtime::Handle) -> anyhow::Result<()> {
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
        let spec = catalog
            .reference
            .stack_spec(std::env::current_exe()?, &request);
        let interrupt = Interrupt::new();
        interrupt.listen(runtime)?;
        let stack = tokio::select! {
            stack = Stack::start(&spec) => stack?,
            by = interrupt.asked() => anyhow::bail!("interrupted by {by}"),
        };
        announce(stack.info())?;
        match self.follow {
            None => drop(stack.detach(Duration::from_mins(1) * self.ttl)?),
            Some(process) => {
                tokio::select! {
                    () = gone(process) => {}
                    _ = interrupt.asked() => {}
                }
                stack.stop().await?;
            }
        }
        Ok(())
    }
}

/// The directory on standard output, for programs; the addresses on standard error, for people.
fn announce(stack: &StackInfo) -> io::Result<()> {
    writeln!(anstream::stdout(), "{}", stack.directory.display())?;
    let mut people = anstream::stderr();
    writeln!(people, "api       {}", stack.api_url)?;
    for (name, url) in &stack.endpoints {
        writeln!(people, "{name:<9} {url}")?;
    }
    writeln!(people, "secrets   {}/stack.json", stack.directory.display())
}

async fn gone(process: i32) {
    let Some(process) = Pid::from_raw(process) else {
        return;
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    while test_kill_process(process).is_ok() {
        look.tick().await;
    }
}

async fn down() -> anyhow::Result<()> {
    let card = newest_leased(&std::env::temp_dir()).ok_or_else(|| {
        anyhow::anyhow!("there is no stack to stop; `cutover stack up` starts one")
    })?;
    stop_by_directory(&card.directory).await?;
    writeln!(anstream::stdout(), "stopped {}", card.id)?;
    Ok(())
}
