//! The observing half of a validation: everything from the first process started to the last stopped.

use std::io;
use std::time::{Duration, Instant};

use cutover_reports::policy::Policy;
use cutover_reports::record::{Outcome, PlannedCheck};
use time::OffsetDateTime;

use super::common_options::PrintOptions;
use cutover_evidence::journal::JournalError;
use cutover_harness::capability::Capability;
use cutover_harness::catalog::Catalog;
use cutover_harness::execute::TrialResult;
use cutover_harness::runner::{Progress, Schedule, Session, Verbosity, run_all};
use cutover_harness::suite::Case;
use cutover_harness::target_file::Target;

/// How a session is examined.
pub(super) struct Execution<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) target: &'a Target,
    pub(super) policy: &'a Policy,
    /// Checks at a time on the shared stack.
    pub(super) jobs: usize,
    /// Checks whose names contain one of these run before all others.
    pub(super) first: &'a [String],
    /// Whether no more checks begin after one that makes it a NO-GO.
    pub(super) fail_fast: bool,
    /// How much is printed while checks run.
    pub(super) verbosity: Verbosity,
}

impl Execution<'_> {
    /// Examines, and closes the session. What goes wrong is in the record.
    pub(super) fn of(&self, session: Session) {
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
                Ok(ready) => {
                    if session.manages_standins() {
                        progress.println("nobody serves the stand-ins: this run does");
                    }
                    progress.println(&format!("stack ready in {:.1} s\n", ready.as_secs_f64()));
                    self.rounds(&session, &progress);
                }
                Err(error) => {
                    let what = format!("the stack did not start: {error:#}");
                    // In full here; the report has room for its beginning.
                    progress.println(&format!("error: {what}"));
                    unrecorded(session.incident(what), &progress);
                }
            }
        }
        progress.set_message("taking the stack down");
        unrecorded(session.close(), &progress);
        progress.finish();
    }

    /// Runs every check as often as the profile asks. The first round must end within the
    /// profile's time; another begins only where there is time for it.
    fn rounds(&self, session: &Session, progress: &Progress) {
        let profile = session.plan.profile;
        let rounds = self.policy.rounds(profile);
        let budget = self.policy.time_budget(profile);
        let began = Instant::now();
        let alarm = budget.map(|budget| session.end_after(budget));
        let mut longest = Duration::ZERO;
        for round in 1..=rounds {
            if rounds > 1 {
                progress.println(&format!("round {round} of {rounds}"));
            }
            let begins = Instant::now();
            let is_whole = self.round(session, progress);
            longest = longest.max(begins.elapsed());
            if let Some(alarm) = &alarm {
                alarm.abort();
            }
            if !is_whole || session.interrupt.by().is_some() {
                return;
            }
            if budget.is_some_and(|budget| began.elapsed() + longest > budget) {
                progress.println("there is no time for another round");
                return;
            }
        }
    }

    /// Runs every check once; says whether all of them have run.
    fn round(&self, session: &Session, progress: &Progress) -> bool {
        let has_lanes = self.target.attachment().is_none();
        // Accounts that are few are borrowed by one trial at a time.
        let are_many = self.target.grants().include(Capability::Minting);
        let course = Schedule {
            jobs: if are_many { self.jobs } else { 1 },
            lanes: if has_lanes {
                self.target.stack.lanes
            } else {
                0
            },
            first: self.first,
            stop_after: &|case, executed| self.fail_fast && self.forbids(case, executed),
        };
        let left_out = run_all(session, self.catalog, &course, progress);
        if left_out > 0 {
            progress.println(&format!(
                "\na check failed that makes it a NO-GO: {left_out} others did not begin"
            ));
        }
        left_out == 0
    }

    /// Whether a check's end decides the verdict, whatever comes after it.
    fn forbids(&self, case: &Case, executed: &TrialResult) -> bool {
        let today = OffsetDateTime::now_utc().date();
        matches!(executed.outcome, Outcome::Failed)
            && self.policy.is_no_go(&case.id, case.check.severity, today)
    }
}

/// Says that the run's journal could not be written; the judge will miss its end.
fn unrecorded(written: Result<(), JournalError>, progress: &Progress) {
    if let Err(error) = written {
        progress.println(&format!("error: {:#}", anyhow::Error::new(error)));
    }
}
