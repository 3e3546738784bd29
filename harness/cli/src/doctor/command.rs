//! The subcommand: checks a target and prints the results.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;

use super::connectivity::reachable_endpoints;
use super::control::check_control_programs;
use super::coverage::coverage;
use super::endpoints::{DoctorContext, check_endpoints};
use super::logs::check_logs;
use super::report::{Report, chain};
use super::resources::check_resources;
use crate::error_message::one_line;
use crate::options::{PolicyOption, PrintOptions};
use crate::output::print_line;
use crate::{CommandError, runtime};
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::catalog::Catalog;
use cutover_harness::runner::StandinsMode;
use cutover_harness::target_file::{Attachment, Target};
use cutover_stack::StandinHost;

/// Check connectivity and show which checks can run
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Target file
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
        if let Some(attachment) = target.attachment() {
            let links = Arc::new(Links::open(&target.links)?);
            let context = DoctorContext {
                target: &target,
                contract: &contract,
                links: &links,
            };
            runtime::multi_thread()?.block_on(async {
                // Dropping the examination stops the stand-ins that it started.
                tokio::select! {
                    result = examine(&context, &attachment, &mut report) => result,
                    _ = tokio::signal::ctrl_c() => {
                        Err(anyhow::anyhow!("interrupted by Ctrl-C").context("finish the checks"))
                    }
                }
            })?;
        }
        let mut lines = vec![format!("target {} ({})", target.name, target.class)];
        lines.append(&mut report.lines);
        lines.extend(coverage(catalog, &target, &policy)?);
        print_line(lines.join("\n"))?;
        Ok(if report.failures == 0 {
            exit::GO
        } else {
            exit::USAGE
        })
    }
}

/// Runs all steps; a step whose precondition failed is left out.
async fn examine(
    context: &DoctorContext<'_>,
    attachment: &Attachment<'_>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let redactor = Arc::<Redactor>::default();
    let connection = match attachment.connection(&redactor) {
        Ok(connection) => connection,
        Err(error) => {
            let mut errors = attachment.unresolvable_secrets(&redactor);
            if errors.is_empty() {
                errors.push(error);
            }
            for error in errors {
                report.add("secrets", Err::<&str, _>(chain(error)));
            }
            return Ok(());
        }
    };
    report.add("secrets", Ok::<_, &str>("all secrets can be read"));
    let standins = start_standins(context, &redactor, report).await;
    let reachable = reachable_endpoints(attachment, report).await;
    check_logs(&connection.logs, report).await;
    check_resources(&connection.resources, report).await;
    check_endpoints(context, connection, &reachable, &redactor, report).await;
    check_control_programs(context.target, report);
    if let Some(standins) = standins {
        standins.stop().await?;
    }
    Ok(())
}

/// Checks whether the stand-ins run; starts those that a run would start itself.
async fn start_standins(
    context: &DoctorContext<'_>,
    redactor: &Redactor,
    report: &mut Report,
) -> Option<StandinHost> {
    let addresses = context.target.standins.as_ref()?;
    let start = async {
        let program = env::current_exe().context("find the binary of cutover")?;
        let mode =
            StandinsMode::detect(context.target, context.contract, &program, redactor).await?;
        let StandinsMode::Managed(host) = mode else {
            return Ok(None);
        };
        host.start().await?;
        anyhow::Ok(Some(*host))
    };
    let started = start.await;
    let control = &addresses.control;
    let result = match &started {
        Ok(None) => Ok(format!("already running, control at {control}")),
        Ok(Some(_)) => Ok(format!(
            "not running; each run starts its own, control at {control}"
        )),
        Err(error) => Err(one_line(error)),
    };
    report.add("stand-ins", result);
    started.ok().flatten()
}
