//! The execution of a run, from the first process that is started to the last that is stopped.

use std::io;
use std::time::{Duration, Instant};

use cutover_reports::policy::Policy;
use cutover_reports::record::{Outcome, PlannedCheck};
use time::OffsetDateTime;

use crate::error_message::error_message;
use crate::options::PrintOptions;
use crate::regression::Baseline;
use cutover_evidence::journal::JournalError;
use cutover_harness::capability::Capability;
use cutover_harness::catalog::Catalog;
use cutover_harness::execute::TrialResult;
use cutover_harness::runner::{Progress, Schedule, Session, Verbosity, run_all};
use cutover_harness::suite::Case;
use cutover_harness::target_file::Target;

/// How the checks of a session are executed.
pub(super) struct Execution<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) target: &'a Target,
    pub(super) policy: &'a Policy,
    /// The number of checks that run in parallel on the shared stack.
    pub(super) jobs: usize,
    /// Checks whose ids contain one of these texts run before all others.
    pub(super) first: &'a [String],
    /// Whether no more checks start after a failure that makes the verdict NO-GO.
    pub(super) fail_fast: bool,
    /// The baseline that the run is compared with.
    pub(super) baseline: Option<&'a Baseline>,
    /// Whether no progress is printed.
    pub(super) verbosity: Verbosity,
}

impl Execution<'_> {
    /// Runs the checks and closes the session. Failures are recorded in the journal.
    pub(super) fn run(&self, session: Session) {
        let plan = &session.plan;
        let admitted = plan.checks.iter().filter(|check| check.is_admitted());
        let trials = admitted.count() * self.policy.rounds(plan.profile) as usize;
        let progress = Progress::new(trials, PrintOptions::palette(&io::stderr()), self.verbosity);
        progress.println(&format!(
            "cutover {} · target {} ({}) · profile {}",
            plan.cutover, plan.target.name, plan.target.stack, plan.profile,
        ));
        progress.println(&format!("run {} · seed {}", plan.run, plan.seed));
        if plan.checks.iter().any(PlannedCheck::is_admitted) {
            progress.set_message("starting the stack");
            match session.start() {
                Ok(elapsed) => {
                    if session.manages_standins() {
                        progress.println("no stand-ins are running: this run starts its own");
                    }
                    progress.println(&format!("stack ready in {:.1} s\n", elapsed.as_secs_f64()));
                    self.run_rounds(&session, &progress);
                }
                Err(error) => {
                    // The reports shorten the incident, so all of it is printed here.
                    let incident = format!("the stack did not start: {error:#}");
                    progress.println(&error_message(&error.context("start the stack")));
                    report_unwritten(session.incident(incident), &progress);
                }
            }
        }
        if let Some(baseline) = self.baseline {
            let compared = match baseline.compare(session.path()) {
                Ok(comparison) => session.compared(comparison),
                Err(error) => session.incident(format!("the run was not compared: {error:#}")),
            };
            report_unwritten(compared, &progress);
        }
        progress.set_message("stopping the stack");
        report_unwritten(session.close(), &progress);
        progress.finish();
    }

    /// Runs every check as often as the profile requires. The first round must end within the
    /// time budget of the profile; another round starts only if there is enough time for it.
    fn run_rounds(&self, session: &Session, progress: &Progress) {
        let profile = session.plan.profile;
        let rounds = self.policy.rounds(profile);
        let budget = self.policy.time_budget(profile);
        let started = Instant::now();
        let alarm = budget.map(|budget| session.end_after(budget));
        let mut longest = Duration::ZERO;
        for round in 1..=rounds {
            if rounds > 1 {
                progress.println(&format!("round {round} of {rounds}"));
            }
            let round_started = Instant::now();
            let is_complete = self.run_round(session, progress);
            longest = longest.max(round_started.elapsed());
            if let Some(alarm) = &alarm {
                alarm.abort();
            }
            if !is_complete || session.interrupt.by().is_some() {
                return;
            }
            if budget.is_some_and(|budget| started.elapsed() + longest > budget) {
                progress.println("not enough time is left for another round");
                return;
            }
        }
    }

    /// Runs every check once; returns whether all of them ran.
    fn run_round(&self, session: &Session, progress: &Progress) -> bool {
        let has_lanes = self.target.attachment().is_none();
        // A target with a fixed list of accounts has too few for parallel trials.
        let can_mint = self.target.grants().include(Capability::Minting);
        let schedule = Schedule {
            jobs: if can_mint { self.jobs } else { 1 },
            lanes: if has_lanes {
                self.target.stack.lanes
            } else {
                0
            },
            first: self.first,
            // With one system or few accounts, or where the first failure ends the run, it comes before all else.
            foundation_alone: self.fail_fast || !has_lanes || !can_mint,
            stop_after: &|case, result| self.fail_fast && self.is_no_go(case, result),
        };
        let not_started = run_all(session, self.catalog, &schedule, progress);
        if not_started > 0 {
            progress.println(&format!(
                "\na failed check makes the verdict NO-GO: {not_started} other checks were not started"
            ));
        }
        not_started == 0
    }

    /// Whether a check's result makes the verdict NO-GO, whatever the other results are.
    fn is_no_go(&self, case: &Case, result: &TrialResult) -> bool {
        let today = OffsetDateTime::now_utc().date();
        matches!(result.outcome, Outcome::Failed)
            && self.policy.is_no_go(&case.id, case.check.severity, today)
    }
}

/// Prints that the journal could not be written; the verdict will miss those events.
fn report_unwritten(written: Result<(), JournalError>, progress: &Progress) {
    if let Err(error) = written {
        progress.println(&error_message(&error.into()));
    }
}
