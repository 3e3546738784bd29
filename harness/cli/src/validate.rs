//! `cutover validate`: run the suites against a target and give the verdict.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Plan, PlannedCheck, Profile, Run, Selection};
use cutover_reports::render::terminal::Terminal;
use cutover_reports::render::{self, Render as _};
use cutover_reports::verdict::{Verdict, judge};
use time::OffsetDateTime;

use super::CommandError;
use super::common_options::{
    PolicyOption, PrintOptions, TargetOption, VerbosityOptions, default_output,
};
use super::dry_run::describe;
use super::examine::Execution;
use super::preflight::preflight;
use super::stack_option::StackOption;
use cutover_contract::contract::Contract;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::catalog::{Catalog, SeededDefect};
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::reference::StackRequest;
use cutover_harness::run_directory::run_id;
use cutover_harness::runner::{AttachedSpec, Session, SessionConfig, StandinsMode, SutSpec};
use cutover_harness::target_file::Target;
use cutover_stack as stack;

/// Trials at a time on the shared stack: they wait more than they work.
const JOBS: u16 = 12;

/// Run the suites against a target and give the verdict
#[derive(Args, Debug)]
pub(super) struct Validate {
    #[command(flatten)]
    pub(super) target: TargetOption,
    #[command(flatten)]
    pub(super) stack: StackOption,
    #[command(flatten)]
    pub(super) policy: PolicyOption,
    /// How much to do
    #[arg(long, value_enum, default_value_t = Depth::Gate)]
    pub(super) profile: Depth,
    /// Only this suite (may be repeated); a partial run is never a GO
    #[arg(long, value_name = "SUITE")]
    pub(super) suite: Vec<String>,
    /// Only checks whose name contains this (may be repeated); a partial run is never a GO
    #[arg(long, value_name = "NAME")]
    pub(super) check: Vec<String>,
    /// Run checks whose name contains this before all others (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub(super) first: Vec<String>,
    /// Begin no more checks once one has failed that makes it a NO-GO
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Refuse a target that runs another commit
    #[arg(long, value_name = "COMMIT")]
    pub(super) expect_commit: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The seed of everything random, to repeat a run
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// The directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    pub(super) output: PathBuf,
    /// Checks at a time on the shared stack
    #[arg(long, value_name = "N", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    /// Start the reference stack with this seeded defect (see `cutover list --defects`)
    #[arg(long, value_name = "ID")]
    pub(super) defect: Option<String>,
    /// Exit with 4 instead of 0 on CONDITIONAL
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) verbosity: VerbosityOptions,
    #[command(flatten)]
    pub(super) print: PrintOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Depth {
    /// What disturbs nobody and is not waited for, before every push
    Quick,
    /// Everything, before promotion
    Gate,
    /// What production bears, right after cutover
    Smoke,
    /// Everything again and again, for leaks and drift
    Soak,
}

impl Validate {
    /// A validation of which nothing else is said.
    pub(super) fn of(
        target: TargetOption,
        policy: PolicyOption,
        print: PrintOptions,
        profile: Depth,
    ) -> Self {
        Self {
            target,
            stack: StackOption::default(),
            policy,
            profile,
            suite: Vec::new(),
            check: Vec::new(),
            first: Vec::new(),
            fail_fast: false,
            expect_commit: None,
            dry_run: false,
            seed: None,
            output: default_output().to_owned(),
            jobs: JOBS,
            defect: None,
            strict: false,
            verbosity: VerbosityOptions::default(),
            print,
        }
    }

    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let policy = self.policy.read()?;
        let mut target = self.target.read(catalog)?;
        self.stack.apply(&mut target)?;
        let contract = target.contract(catalog.contract.text)?;
        let plan = self.plan(catalog, &target, &policy)?;
        if self.dry_run {
            let said = describe(&plan, &target, &contract);
            write!(anstream::stdout(), "{said}")?;
            return Ok(exit::GO);
        }
        let commit = self.expect_commit.as_deref();
        let access = preflight(&target, &contract, &policy, plan.profile, commit)?;
        let session = self.open(catalog, &target, contract, plan, access.links.clone())?;
        let path = session.path().to_owned();
        let examination = Execution {
            catalog,
            target: &target,
            policy: &policy,
            jobs: usize::from(self.jobs),
            first: &self.first,
            fail_fast: self.fail_fast,
            verbosity: self.verbosity.level(),
        };
        examination.of(session);
        self.conclude(&path, &policy)
            .map_err(CommandError::Internal)
    }

    fn plan(&self, catalog: &Catalog, target: &Target, policy: &Policy) -> anyhow::Result<Plan> {
        let order = PlanRequest {
            run: run_id()?,
            profile: self.profile.into(),
            seed: self.seed.unwrap_or_else(rand::random),
            selection: Selection {
                suites: self.suite.clone(),
                filters: self.check.clone(),
            },
            defect: self.defect(catalog)?,
        };
        let plan = plan(catalog, target, policy, &order)?;
        policy.validate_against(&plan)?;
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
    ) -> anyhow::Result<Session> {
        let redactor = Arc::<Redactor>::default();
        let sut = self.sut(catalog, target, &contract, &plan, links, &redactor)?;
        let session = Session::open(SessionConfig {
            target,
            contract,
            plan,
            output: &self.output,
            redactor,
            reference: catalog.reference,
            sut,
        })?;
        session.listen_for_signals()?;
        Ok(session)
    }

    /// What the run is to run against; resolves the secrets of a deployed system.
    fn sut(
        &self,
        catalog: &Catalog,
        target: &Target,
        contract: &Contract,
        plan: &Plan,
        links: Option<Arc<Links>>,
        redactor: &Redactor,
    ) -> anyhow::Result<SutSpec> {
        let program = std::env::current_exe().context("find cutover's own binary")?;
        let runs = plan.checks.iter().any(PlannedCheck::is_admitted);
        let Some(attachment) = target.attachment() else {
            if runs {
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
        let standins = if runs {
            hosting(target, contract, &program, redactor)?.host()
        } else {
            None
        };
        Ok(SutSpec::Attached(AttachedSpec {
            connection: attachment.connection(redactor)?,
            links,
            standins,
        }))
    }

    /// Judges the record, prints the verdict, writes the reports. A go whose
    /// evidence could not be written is none.
    fn conclude(&self, path: &Path, policy: &Policy) -> anyhow::Result<u8> {
        let run = Run::load(path)?;
        let verdict = judge(&run, policy, OffsetDateTime::now_utc());
        print_verdict(path, &run, &verdict)?;
        let code = verdict.exit_code(self.strict);
        match render::write_all(path, &run, &verdict) {
            Ok(_) => Ok(code),
            Err(error) => {
                anstream::eprintln!("error: {:#}", anyhow::Error::new(error));
                Ok(if code == exit::NO_GO {
                    code
                } else {
                    exit::INCONCLUSIVE
                })
            }
        }
    }
}

/// Who serves the stand-ins of a target that somebody else runs.
fn hosting(
    target: &Target,
    contract: &Contract,
    program: &Path,
    redactor: &Redactor,
) -> anyhow::Result<StandinsMode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(StandinsMode::detect(target, contract, program, redactor))
}

/// Prints the verdict as a person reads it.
pub(super) fn print_verdict(path: &Path, run: &Run, verdict: &Verdict) -> anyhow::Result<()> {
    let palette = PrintOptions::palette(&io::stdout());
    let report = Terminal {
        palette,
        path: Some(path.to_owned()),
        ..Terminal::default()
    };
    write!(anstream::stdout(), "{}", report.render(run, verdict))?;
    Ok(())
}

impl From<Depth> for Profile {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Quick => Self::Quick,
            Depth::Gate => Self::Gate,
            Depth::Smoke => Self::Smoke,
            Depth::Soak => Self::Soak,
        }
    }
}
