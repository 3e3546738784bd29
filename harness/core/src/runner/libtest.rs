//! The libtest front end: every check a test of `cargo test`, an IDE or cargo-nextest.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, CheckId, Outcome, Profile, Selection, SkipClass};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::catalog::Catalog;
use crate::execute::TrialResult;
use crate::plan::{PlanRequest, plan};
use crate::reference::StackRequest;
use crate::run_directory::run_id;
use crate::runner::lease::{is_shared_run, shared_stack};
use crate::runner::{Session, SessionConfig, SystemSpec};
use crate::target_file::Target;

/// Trials at a time where the command line does not say: they wait more than they work.
const JOBS: usize = 12;

/// What the front end needs to know of the test target it runs in.
#[derive(Clone, Debug)]
pub struct LibtestSettings {
    /// The binary that carries the companions.
    pub program: PathBuf,
    /// The directory of all runs.
    pub output: PathBuf,
}

/// Runs the catalog's checks as tests, with libtest's own flags and exit codes.
///
/// Listing starts nothing and writes nothing; the stack starts with the first trial.
pub fn libtest(catalog: Catalog, settings: LibtestSettings) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(JOBS);
    let shared = Arc::new(Shared {
        catalog,
        settings,
        session: OnceLock::new(),
    });
    let trials = match shared.trials() {
        Ok(trials) => trials,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            return ExitCode::from(cutover_reports::exit::USAGE);
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Every trial has ended, and with it every other holder of the session.
    match Arc::into_inner(shared).and_then(|shared| shared.session.into_inner()) {
        None | Some(Err(_)) => conclusion.exit_code(),
        Some(Ok(session)) => close(session, conclusion.exit_code()),
    }
}

fn close(session: Session, verdict: ExitCode) -> ExitCode {
    let path = session.path().to_owned();
    match session.close() {
        Ok(()) => {
            anstream::eprintln!("evidence: {}", path.display());
            verdict
        }
        Err(error) => {
            anstream::eprintln!("error: {:#}", anyhow::Error::new(error));
            ExitCode::from(cutover_reports::exit::INTERNAL_ERROR)
        }
    }
}

/// What the trials share: the session, once one of them has needed it.
struct Shared {
    catalog: Catalog,
    settings: LibtestSettings,
    session: OnceLock<Result<Session, String>>,
}

impl Shared {
    fn trials(self: &Arc<Self>) -> anyhow::Result<Vec<Trial>> {
        let target = self.target()?;
        let policy = Policy::default_gate();
        let mut plan = plan(&self.catalog, &target, &policy, &order(String::new()))?;
        // Slow checks start first, whatever their suite.
        plan.checks.sort_by_key(|check| Reverse(check.takes_ms));
        let trials = plan.checks.into_iter().map(|check| {
            let shared = Arc::clone(self);
            let refused = matches!(check.admission, Admission::Refused { .. });
            let id = check.id.clone();
            let body = move || shared.run(&id);
            Trial::test(check.id.to_string(), body).with_ignored_flag(refused)
        });
        Ok(trials.collect())
    }

    fn target(&self) -> anyhow::Result<Target> {
        Ok(Target::parse(
            self.catalog.target.text,
            self.catalog.target.origin,
        )?)
    }

    fn run(&self, id: &CheckId) -> Result<(), Failed> {
        let open = || self.open().map_err(|error| format!("{error:#}"));
        let session = self.session.get_or_init(open).as_ref();
        let session = session.map_err(|error| Failed::from(error.as_str()))?;
        let case = self
            .catalog
            .case(id)
            .ok_or("the check has left its table")?;
        conclude(&session.run(case))
    }

    fn open(&self) -> anyhow::Result<Session> {
        let target = self.target()?;
        let contract = target.contract(self.catalog.contract.text)?;
        let policy = Policy::default_gate();
        let plan = plan(&self.catalog, &target, &policy, &order(run_id()?))?;
        let request = StackRequest {
            target: &target,
            contract: &contract,
            defect: None,
        };
        let reference = self.catalog.reference;
        let spec = reference.stack_spec(self.settings.program.clone(), &request);
        let lanes = target.stack.lanes;
        let system = if is_shared_run() {
            let run = self.settings.output.join(&plan.run);
            let stack = shared_stack(&self.settings.program, &run)?;
            SystemSpec::SharedStack { stack, spec, lanes }
        } else {
            SystemSpec::OwnStacks { spec, lanes }
        };
        let session = Session::open(SessionConfig {
            target: &target,
            contract,
            plan,
            output: &self.settings.output,
            redactor: Arc::default(),
            reference,
            system,
        })?;
        session.listen_for_signals()?;
        session.start()?;
        Ok(session)
    }
}

fn order(run: String) -> PlanRequest {
    PlanRequest {
        run,
        profile: Profile::Gate,
        seed: rand::random(),
        selection: Selection::default(),
        defect: None,
    }
}

/// libtest knows *passed* and *failed* only: what could not be told must not pass.
fn conclude(executed: &TrialResult) -> Result<(), Failed> {
    match (&executed.outcome, &executed.finding) {
        (
            Outcome::Passed
            | Outcome::Skipped {
                class: SkipClass::NotApplicable,
                ..
            },
            _,
        ) => Ok(()),
        (Outcome::Failed, Some(finding)) => Err(describe(finding).into()),
        (Outcome::Failed, None) => Err("failed".into()),
        (Outcome::Errored { cause }, _) => Err(format!("could not tell: {cause}").into()),
        (Outcome::Skipped { reason, .. }, _) => Err(format!("could not tell: {reason}").into()),
    }
}

fn describe(finding: &cutover_reports::record::Finding) -> String {
    let mut text = finding.summary.clone();
    for (label, side) in [("expected", &finding.expected), ("actual", &finding.actual)] {
        if let Some(side) = side {
            text.push_str("\n  ");
            text.push_str(label);
            text.push_str(": ");
            text.push_str(side);
        }
    }
    text
}
