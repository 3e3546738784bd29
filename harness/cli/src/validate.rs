//! `cutover validate`: runs the suites against a target and gives the verdict.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Plan, PlannedCheck, Profile, Run};
use cutover_reports::render::terminal::Terminal;
use cutover_reports::render::{self, Render as _};
use cutover_reports::verdict::{Verdict, judge};
use serde_json::Value;
use time::OffsetDateTime;

use crate::CommandError;
use crate::dry_run::describe;
use crate::error_message::error_message;
use crate::execution::Execution;
use crate::options::{
    PolicyOption, PrintOptions, SelectionOptions, TargetOption, VerbosityOptions, default_output,
};
use crate::output::print;
use crate::preflight::preflight;
use crate::regression::{Baseline, BaselineOption};
use crate::runtime;
use crate::stack_option::StackOption;
use cutover_contract::contract::Contract;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::catalog::{Catalog, SeededDefect};
use cutover_harness::inputs::SOAK_SECONDS;
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::reference::StackRequest;
use cutover_harness::run_directory::run_id;
use cutover_harness::runner::{AttachedSpec, Session, SessionConfig, StandinsMode, SutSpec};
use cutover_harness::target_file::Target;
use cutover_stack as stack;

/// Checks that run in parallel on the shared stack: they wait more than they compute.
const JOBS: u16 = 12;

/// Run the suites against a target and give the verdict
///
/// A partial run, with --suite or --check, is never a GO.
#[derive(Args, Debug)]
pub(super) struct Validate {
    #[command(flatten, next_help_heading = "Target")]
    pub(super) target: TargetOption,
    #[command(flatten, next_help_heading = "Target")]
    pub(super) stack: StackOption,
    /// Refuse a target that runs another commit
    #[arg(long, value_name = "COMMIT", help_heading = "Target")]
    pub(super) expect_commit: Option<String>,
    /// Start the reference stack with this seeded defect (see `cutover list --defects`)
    #[arg(long, value_name = "ID|SLUG", help_heading = "Target")]
    pub(super) defect: Option<String>,
    #[command(flatten, next_help_heading = "Selection")]
    pub(super) selection: SelectionOptions,
    /// Run the checks whose id contains this text before all others (may be repeated)
    #[arg(long, alias = "first", value_name = "TEXT", help_heading = "Execution")]
    pub(super) run_first: Vec<String>,
    /// Start no more checks after a failure that makes the verdict NO-GO
    #[arg(long, help_heading = "Execution")]
    pub(super) fail_fast: bool,
    /// Print what the run would do, and do nothing
    #[arg(long, help_heading = "Execution")]
    pub(super) dry_run: bool,
    /// Seed of all random values, to repeat a run
    #[arg(long, help_heading = "Execution")]
    pub(super) seed: Option<u64>,
    /// Number of checks that run in parallel on the shared stack
    #[arg(
        long,
        value_name = "N",
        default_value_t = JOBS,
        value_parser = clap::value_parser!(u16).range(1..=64),
        help_heading = "Execution"
    )]
    pub(super) jobs: u16,
    #[command(flatten)]
    pub(super) baseline: BaselineOption,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) policy: PolicyOption,
    /// Exit with 4 instead of 0 on CONDITIONAL
    #[arg(long, help_heading = "Output")]
    pub(super) strict: bool,
    /// Directory of all runs
    #[arg(
        long,
        value_name = "DIR",
        default_value_os_t = default_output().to_owned(),
        help_heading = "Output"
    )]
    pub(super) output: PathBuf,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) verbosity: VerbosityOptions,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) print: PrintOptions,
    /// Values for checks that another command runs with other values than usual.
    #[arg(skip)]
    pub(super) parameters: BTreeMap<&'static str, Value>,
}

/// A run that is planned.
pub(super) struct Prepared {
    policy: Policy,
    target: Target,
    contract: Contract,
    pub(super) plan: Plan,
    baseline: Option<Baseline>,
}

/// A run that has ended and is not judged yet.
pub(super) struct Executed {
    /// The run directory.
    pub(super) path: PathBuf,
    /// What stopped it, if it was stopped.
    pub(super) interrupted_by: Option<&'static str>,
    policy: Policy,
}

impl Validate {
    /// All checks of a profile, with every other option at its default.
    pub(super) fn with_defaults(
        target: TargetOption,
        policy: PolicyOption,
        print: PrintOptions,
        profile: Profile,
    ) -> Self {
        Self {
            target,
            stack: StackOption::default(),
            expect_commit: None,
            defect: None,
            selection: SelectionOptions::all(profile),
            run_first: Vec::new(),
            fail_fast: false,
            dry_run: false,
            seed: None,
            jobs: JOBS,
            baseline: BaselineOption::default(),
            policy,
            strict: false,
            output: default_output().to_owned(),
            verbosity: VerbosityOptions::default(),
            print,
            parameters: BTreeMap::new(),
        }
    }

    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let prepared = self.prepare(catalog)?;
        if self.dry_run {
            let Prepared {
                target,
                contract,
                plan,
                ..
            } = &prepared;
            print(&describe(plan, target, contract))?;
            return Ok(exit::GO);
        }
        let executed = self.execute(catalog, prepared)?;
        self.conclude(&executed.path, &executed.policy)
            .map_err(CommandError::Internal)
    }

    /// Reads the files of the run and plans it. Nothing runs.
    pub(super) fn prepare(&self, catalog: &Catalog) -> Result<Prepared, CommandError> {
        let policy = self.policy.read()?;
        let mut target = self.target.read(catalog)?;
        self.stack.apply(&mut target)?;
        let contract = target.contract(catalog.contract.text)?;
        let plan = self.plan(catalog, &target, &policy)?;
        let baseline = self.baseline.read(&plan)?;
        Ok(Prepared {
            policy,
            target,
            contract,
            plan,
            baseline,
        })
    }

    /// Runs the checks.
    pub(super) fn execute(
        &self,
        catalog: &Catalog,
        prepared: Prepared,
    ) -> Result<Executed, CommandError> {
        let Prepared {
            policy,
            target,
            contract,
            plan,
            baseline,
        } = prepared;
        let commit = self.expect_commit.as_deref();
        let guards = preflight(&target, &contract, &policy, plan.profile, commit)?;
        let soak = policy.soak(plan.profile);
        let session = self.open(catalog, &target, contract, plan, guards.links.clone(), soak)?;
        let (path, interrupt) = (session.path().to_owned(), session.interrupt.clone());
        let execution = Execution {
            catalog,
            target: &target,
            policy: &policy,
            jobs: usize::from(self.jobs),
            first: &self.run_first,
            fail_fast: self.fail_fast,
            verbosity: self.verbosity.level(),
            baseline: baseline.as_ref(),
        };
        execution.run(session);
        Ok(Executed {
            path,
            policy,
            interrupted_by: interrupt.by(),
        })
    }

    fn plan(&self, catalog: &Catalog, target: &Target, policy: &Policy) -> anyhow::Result<Plan> {
        let request = PlanRequest {
            run: run_id()?,
            profile: self.selection.profile,
            seed: self.seed.unwrap_or_else(rand::random),
            selection: self.selection.selection(),
            defect: self.defect(catalog)?,
        };
        let plan = plan(catalog, target, policy, &request)?;
        policy.validate_against(&plan, &catalog.rules())?;
        Ok(plan)
    }

    fn defect(&self, catalog: &Catalog) -> anyhow::Result<Option<&'static SeededDefect>> {
        let defect = self.defect.as_deref();
        Ok(defect.map(|id| catalog.defect(id)).transpose()?)
    }

    fn open(
        &self,
        catalog: &Catalog,
        target: &Target,
        contract: Contract,
        plan: Plan,
        links: Option<Arc<Links>>,
        soak: Option<Duration>,
    ) -> anyhow::Result<Session> {
        let redactor = Arc::<Redactor>::default();
        let mut parameters = self.parameters.clone();
        parameters.extend(soak.map(|soak| (SOAK_SECONDS, Value::from(soak.as_secs_f64()))));
        let sut = self.sut(catalog, target, &contract, &plan, links, &redactor)?;
        let session = Session::open(SessionConfig {
            target,
            contract,
            plan,
            output: &self.output,
            redactor,
            reference: catalog.reference,
            sut,
            parameters,
        })?;
        session.listen_for_signals()?;
        Ok(session)
    }

    /// The system under test; resolves the secrets of a deployed one.
    fn sut(
        &self,
        catalog: &Catalog,
        target: &Target,
        contract: &Contract,
        plan: &Plan,
        links: Option<Arc<Links>>,
        redactor: &Redactor,
    ) -> anyhow::Result<SutSpec> {
        let program = std::env::current_exe().context("find the binary of cutover")?;
        let has_checks = plan.checks.iter().any(PlannedCheck::is_admitted);
        let Some(attachment) = target.attachment() else {
            if has_checks {
                stack::preflight(target.stack.kind, &target.stack.images)?;
            }
            let request = StackRequest {
                target,
                contract,
                defect: self.defect(catalog)?,
            };
            return Ok(SutSpec::OwnStacks {
                spec: catalog.reference.stack_spec(program, &request),
                lanes: target.stack.lanes,
            });
        };
        let standins = if has_checks {
            standins_mode(target, contract, &program, redactor)?.host()
        } else {
            None
        };
        Ok(SutSpec::Attached(AttachedSpec {
            connection: attachment.connection(redactor)?,
            links,
            standins,
        }))
    }

    /// Judges the record, prints the verdict and writes the reports. A GO whose
    /// reports could not be written becomes INCONCLUSIVE.
    fn conclude(&self, path: &Path, policy: &Policy) -> anyhow::Result<u8> {
        let run = Run::load(path)?;
        let verdict = judge(&run, policy, OffsetDateTime::now_utc());
        print_verdict(path, &run, &verdict)?;
        let code = verdict.exit_code(self.strict);
        match render::write_all(path, &run, &verdict) {
            Ok(_) => Ok(code),
            Err(error) => {
                anstream::eprintln!("{}", error_message(&error.into()));
                Ok(if code == exit::NO_GO {
                    code
                } else {
                    exit::INCONCLUSIVE
                })
            }
        }
    }
}

/// Who runs the stand-ins of a deployed target.
fn standins_mode(
    target: &Target,
    contract: &Contract,
    program: &Path,
    redactor: &Redactor,
) -> anyhow::Result<StandinsMode> {
    let runtime = runtime::current_thread()?;
    runtime.block_on(StandinsMode::detect(target, contract, program, redactor))
}

/// Prints the verdict as text.
pub(super) fn print_verdict(path: &Path, run: &Run, verdict: &Verdict) -> anyhow::Result<()> {
    let report = Terminal {
        palette: PrintOptions::palette(&io::stdout()),
        path: Some(path.to_owned()),
        ..Terminal::default()
    };
    print(&report.render(run, verdict))
}
