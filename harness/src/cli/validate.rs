//! `cutover validate`: run the suites against a target and give the verdict.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Outcome, PlannedCheck, Profile, Run, Selection};
use cutover_reports::render::terminal::Terminal;
use cutover_reports::render::{self, Render as _};
use cutover_reports::verdict::{Verdict, judge};
use time::OffsetDateTime;

use super::Trouble;
use super::common_options::{PolicyOption, PrintOptions, TargetOption, default_output};
use crate::catalog::Catalog;
use crate::execute::Executed;
use crate::journal::JournalError;
use crate::plan::{Order, plan};
use crate::run_directory::run_id;
use crate::runner::{Course, Ingredients, Progress, Session, run_all};
use crate::stack;
use crate::suite::Case;
use crate::target::Target;

/// Run the suites against a target and give the verdict
#[derive(Args, Debug)]
pub(super) struct Validate {
    #[command(flatten)]
    target: TargetOption,
    #[command(flatten)]
    policy: PolicyOption,
    /// How much to do
    #[arg(long, value_enum, default_value_t = Depth::Gate)]
    profile: Depth,
    /// Only this suite (may be repeated); a partial run is never a GO
    #[arg(long, value_name = "SUITE")]
    suite: Vec<String>,
    /// Only checks whose name contains this (may be repeated); a partial run is never a GO
    #[arg(long, value_name = "NAME")]
    check: Vec<String>,
    /// Run checks whose name contains this before all others (may be repeated)
    #[arg(long, value_name = "NAME")]
    first: Vec<String>,
    /// Begin no more checks once one has failed that makes it a NO-GO
    #[arg(long)]
    fail_fast: bool,
    /// The seed of everything random, to repeat a run
    #[arg(long)]
    seed: Option<u64>,
    /// The directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
    /// Checks at a time on the shared stack
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Start the reference stack with this seeded defect (see `cutover list --defects`)
    #[arg(long, value_name = "ID")]
    defect: Option<String>,
    /// Exit with 4 instead of 0 on CONDITIONAL
    #[arg(long)]
    strict: bool,
    /// Print the verdict alone
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    print: PrintOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Depth {
    Quick,
    Gate,
}

impl Validate {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, Trouble> {
        self.print.apply();
        let policy = self.policy.read()?;
        let target = self.target.read(catalog)?;
        let session = self.open(catalog, &target, &policy)?;
        let path = session.path().to_owned();
        let progress = Progress::new(
            session
                .plan
                .checks
                .iter()
                .filter(|check| check.is_admitted())
                .count(),
            PrintOptions::palette(&io::stderr()),
            self.quiet,
        );
        self.examine(session, catalog, &target, &policy, &progress);
        self.conclude(&path, &policy).map_err(Trouble::Broken)
    }

    fn open(&self, catalog: &Catalog, target: &Target, policy: &Policy) -> anyhow::Result<Session> {
        let contract = target.contract(catalog.contract.text)?;
        let defect = self
            .defect
            .as_deref()
            .map(|id| catalog.defect(id))
            .transpose()?;
        let order = Order {
            run: run_id()?,
            profile: self.profile.into(),
            seed: self.seed.unwrap_or_else(rand::random),
            selection: Selection {
                suites: self.suite.clone(),
                filters: self.check.clone(),
            },
            defect,
        };
        let plan = plan(catalog, target, &order)?;
        policy.check_against(&plan)?;
        if plan.checks.iter().any(PlannedCheck::is_admitted) {
            stack::Installation::find()?;
        }
        let session = Session::open(Ingredients {
            target,
            defect,
            contract,
            plan,
            output: &self.output,
            leased: None,
            program: std::env::current_exe().context("find cutover's own binary")?,
        })?;
        session.listen_for_signals()?;
        Ok(session)
    }

    /// Observes: everything from the first process started to the last stopped.
    fn examine(
        &self,
        session: Session,
        catalog: &Catalog,
        target: &Target,
        policy: &Policy,
        progress: &Progress,
    ) {
        let plan = &session.plan;
        progress.say(&format!(
            "cutover {} · target {} ({}) · profile {}",
            plan.cutover, plan.target.name, plan.target.stack, plan.profile,
        ));
        progress.say(&format!("run {} · seed {}", plan.run, plan.seed));
        if plan.checks.iter().any(PlannedCheck::is_admitted) {
            progress.doing("starting the stack");
            match session.start() {
                Ok(ready) => {
                    progress.say(&format!("stack ready in {:.1} s\n", ready.as_secs_f64()));
                    let course = Course {
                        jobs: usize::from(self.jobs),
                        lanes: target.stack.lanes,
                        first: &self.first,
                        is_enough: &|case, executed| {
                            self.fail_fast && forbids(policy, case, executed)
                        },
                    };
                    let left_out = run_all(&session, catalog, &course, progress);
                    if left_out > 0 {
                        progress.say(&format!(
                            "\na check failed that makes it a NO-GO: {left_out} others did not begin"
                        ));
                    }
                }
                Err(error) => {
                    let what = format!("the stack did not start: {error:#}");
                    // In full here; the report has room for its beginning.
                    progress.say(&format!("error: {what}"));
                    unrecorded(session.incident(what), progress);
                }
            }
        }
        progress.doing("taking the stack down");
        unrecorded(session.close(), progress);
        progress.end();
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

/// Whether a check's end decides the verdict, whatever comes after it.
fn forbids(policy: &Policy, case: &Case, executed: &Executed) -> bool {
    let today = OffsetDateTime::now_utc().date();
    matches!(executed.outcome, Outcome::Failed)
        && policy.stops_at(&case.id, case.check.severity, today)
}

/// Says that the run's journal could not be written; the judge will miss its end.
fn unrecorded(written: Result<(), JournalError>, progress: &Progress) {
    if let Err(error) = written {
        progress.say(&format!("error: {:#}", anyhow::Error::new(error)));
    }
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
        }
    }
}
