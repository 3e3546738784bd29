//! The verb: examines a target, and says what could be checked there.

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cutover_reports::exit;

use super::control::control;
use super::doors::{House, go_round};
use super::prospects::prospects;
use super::report::Report;
use super::way::reachable;
use crate::CommandError;
use crate::common_options::{PolicyOption, PrintOptions};
use cutover_contract::contract::Contract;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::catalog::Catalog;
use cutover_harness::runner::StandinsMode;
use cutover_harness::target_file::Target;
use cutover_stack::StandinHost;

/// Poll whether a target can be reached, and what could be checked there
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// The target file
    #[arg(long, value_name = "FILE")]
    target: PathBuf,
    #[command(flatten)]
    policy: PolicyOption,
    #[command(flatten)]
    print: PrintOptions,
}

impl Doctor {
    pub(crate) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let target = Target::read(&self.target)?;
        let contract = target.contract(catalog.contract.text)?;
        let policy = self.policy.read()?;
        let mut report = Report::default();
        if target.attachment().is_some() {
            let links = Arc::new(Links::open(&target.links)?);
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                // What was started for the examination ends with it, however that ends.
                tokio::select! {
                    examined = examine(&target, &contract, &links, &mut report) => examined,
                    _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted by Ctrl-C"),
                }
            })?;
        }
        let mut lines = vec![format!("target {} ({})", target.name, target.class)];
        lines.append(&mut report.lines);
        lines.extend(prospects(catalog, &target, &policy)?);
        writeln!(anstream::stdout(), "{}", lines.join("\n"))?;
        Ok(if report.troubles == 0 {
            exit::GO
        } else {
            exit::USAGE
        })
    }
}

/// Goes all the way to every door; what one step needs of another is not asked twice.
async fn examine(
    target: &Target,
    contract: &Contract,
    links: &Arc<Links>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Some(attachment) = target.attachment() else {
        return Ok(());
    };
    let redactor = Arc::<Redactor>::default();
    let connection = match attachment.connection(&redactor) {
        Ok(connection) => connection,
        Err(error) => {
            report.note("secrets", Err::<&str, _>(error));
            return Ok(());
        }
    };
    report.note("secrets", Ok::<_, &str>("all of them can be had"));
    let standins = standins(target, contract, &redactor, report).await;
    let open = reachable(&attachment, report).await;
    let house = House {
        target,
        contract,
        links,
    };
    go_round(&house, connection, &open, &redactor, report).await;
    control(target, report);
    if let Some(standins) = standins {
        standins.stop().await?;
    }
    Ok(())
}

/// Looks who serves the stand-ins; those that a run would serve are served for the examination.
async fn standins(
    target: &Target,
    contract: &Contract,
    redactor: &Redactor,
    report: &mut Report,
) -> Option<StandinHost> {
    let at = target.standins.as_ref()?;
    let started = async {
        let hosting =
            StandinsMode::detect(target, contract, &env::current_exe()?, redactor).await?;
        let StandinsMode::Managed(host) = hosting else {
            return Ok(None);
        };
        host.start().await?;
        anyhow::Ok(Some(*host))
    };
    let started = started.await;
    let found = match &started {
        Ok(None) => Ok(format!("others serve them, controlled at {}", at.control)),
        Ok(Some(_)) => Ok(format!(
            "nobody serves them, so each run does by itself, controlled at {}",
            at.control
        )),
        Err(error) => Err(format!("{error:#}")),
    };
    report.note("stand-ins", found);
    started.ok().flatten()
}
