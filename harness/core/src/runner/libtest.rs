//! The libtest front end: every check is a test of `cargo test`, an IDE or cargo-nextest.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use cutover_reports::policy::Policy;
use cutover_reports::record::{
    Admission, CheckId, Finding, Outcome, PlannedCheck, Profile, Selection, SkipClass,
};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::catalog::Catalog;
use crate::execute::TrialResult;
use crate::plan::{PlanRequest, plan};
use crate::reference::StackRequest;
use crate::run_directory::run_id;
use crate::runner::nextest::{is_shared_run, shared_stack};
use crate::runner::{Session, SessionConfig, SutSpec};
use crate::target_file::Target;

/// The default number of trials at a time: they wait more than they compute.
const JOBS: usize = 12;

/// The settings of the test target that the front end runs in.
#[derive(Clone, Debug)]
pub struct LibtestSettings {
    /// The binary that contains the companion programs.
    pub program: PathBuf,
    /// The directory of all runs.
    pub output: PathBuf,
}

/// Runs the catalog's checks as tests, with libtest's own flags and exit codes.
///
/// Listing starts and writes nothing; the stack starts with the first trial.
pub fn libtest(catalog: Catalog, settings: LibtestSettings) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(JOBS);
    let shared = Arc::new(Shared {
        catalog,
        settings,
        session: OnceLock::new(),
    });
    let (measurements, others) = match shared.trials() {
        Ok(trials) => trials,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            return ExitCode::from(cutover_reports::exit::USAGE);
        }
    };
    let conclusion = libtest_mimic::run(&arguments, others);
    // Nothing runs beside a measurement.
    arguments.test_threads = Some(1);
    let measured = libtest_mimic::run(&arguments, measurements);
    let conclusion = if conclusion.has_failed() {
        conclusion
    } else {
        measured
    };
    // Every trial has ended and dropped its reference to the session.
    match Arc::into_inner(shared).and_then(|shared| shared.session.into_inner()) {
        None | Some(Err(_)) => conclusion.exit_code(),
        Some(Ok(session)) => close(session, conclusion.exit_code()),
    }
}

fn close(session: Session, conclusion: ExitCode) -> ExitCode {
    let path = session.path().to_owned();
    match session.close() {
        Ok(()) => {
            anstream::eprintln!("evidence: {}", path.display());
            conclusion
        }
        Err(error) => {
            anstream::eprintln!("error: {:#}", anyhow::Error::new(error));
            ExitCode::from(cutover_reports::exit::INTERNAL_ERROR)
        }
    }
}

/// What the trials share: the session, which the first trial opens.
struct Shared {
    catalog: Catalog,
    settings: LibtestSettings,
    session: OnceLock<Result<Session, String>>,
}

impl Shared {
    /// The measurements, and all other trials.
    fn trials(self: &Arc<Self>) -> anyhow::Result<(Vec<Trial>, Vec<Trial>)> {
        let target = self.target()?;
        let policy = Policy::default_gate();
        let mut plan = plan(
            &self.catalog,
            &target,
            &policy,
            &plan_request(String::new()),
        )?;
        // Slow checks start first, whatever their suite.
        plan.checks.sort_by_key(|check| Reverse(check.takes_ms));
        let trial = |check: PlannedCheck| {
            let shared = Arc::clone(self);
            let refused = matches!(check.admission, Admission::Refused { .. });
            let id = check.id.clone();
            let body = move || shared.run(&id);
            Trial::test(check.id.to_string(), body).with_ignored_flag(refused)
        };
        let (measurements, others): (Vec<_>, Vec<_>) = plan.checks.into_iter().partition(|check| {
            let case = self.catalog.case(&check.id);
            case.is_some_and(|case| case.check.is_measurement)
        });
        let trials = |checks: Vec<PlannedCheck>| checks.into_iter().map(trial).collect();
        Ok((trials(measurements), trials(others)))
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
            .ok_or("the check is not in the catalog")?;
        conclude(&session.run(case))
    }

    fn open(&self) -> anyhow::Result<Session> {
        let target = self.target()?;
        let contract = target.contract(self.catalog.contract.text)?;
        let policy = Policy::default_gate();
        let plan = plan(&self.catalog, &target, &policy, &plan_request(run_id()?))?;
        let request = StackRequest {
            target: &target,
            contract: &contract,
            defect: None,
        };
        let reference = self.catalog.reference;
        let spec = reference.stack_spec(self.settings.program.clone(), &request);
        let lanes = target.stack.lanes;
        let sut = if is_shared_run() {
            let run = self.settings.output.join(&plan.run);
            let stack = shared_stack(&self.settings.program, &run)?;
            SutSpec::SharedStack { stack, spec, lanes }
        } else {
            SutSpec::OwnStacks { spec, lanes }
        };
        let session = Session::open(SessionConfig {
            parameters: BTreeMap::new(),
            target: &target,
            contract,
            plan,
            output: &self.settings.output,
            redactor: Arc::default(),
            reference,
            sut,
        })?;
        session.listen_for_signals()?;
        session.start()?;
        Ok(session)
    }
}

fn plan_request(run: String) -> PlanRequest {
    PlanRequest {
        run,
        profile: Profile::Gate,
        seed: rand::random(),
        selection: Selection::default(),
        defect: None,
    }
}

/// libtest knows only *passed* and *failed*: a check without a result must not pass.
fn conclude(trial: &TrialResult) -> Result<(), Failed> {
    match (&trial.outcome, &trial.finding) {
        (
            Outcome::Passed
            | Outcome::Skipped {
                class: SkipClass::NotApplicable,
                ..
            },
            _,
        ) => Ok(()),
        (Outcome::Failed, Some(finding)) => Err(describe(finding, &trial.reported).into()),
        (Outcome::Failed, None) => Err("failed".into()),
        (Outcome::Errored { cause }, _) => Err(format!("no result: {cause}").into()),
        (Outcome::Skipped { reason, .. }, _) => Err(format!("no result: {reason}").into()),
    }
}

/// A finding with its values and with what the system itself reported about it.
fn describe(finding: &Finding, reported: &[String]) -> String {
    let sides = [("expected", &finding.expected), ("actual", &finding.actual)];
    let sides = sides
        .into_iter()
        .filter_map(|(label, side)| Some((label, side.as_ref()?)));
    let reported = reported.iter().map(|line| ("reported", line));
    sides
        .chain(reported)
        .fold(finding.summary.clone(), |text, (label, value)| {
            text + "\n  " + label + ": " + value
        })
}
