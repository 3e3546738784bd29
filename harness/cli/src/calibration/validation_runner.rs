//! One validation in its own process: started, awaited and read back, or terminated on an interrupt.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use cutover_reports::policy::Policy;
use cutover_reports::record::{LoadError, Run};
use cutover_reports::verdict::{CheckStatus, judge};
use time::OffsetDateTime;
use tokio::process::{Child, Command};

use super::outcome::{RerunOutcome, ValidationOutcome};
use super::result::Rerun;
use super::subject::Subject;
use crate::child;
use cutover_evidence::interrupt::Interrupt;

/// How many characters of a validation's last line are shown if it left no record.
const SHOWN_CHARACTERS: usize = 200;

/// Runs validations and reads their results.
#[derive(Debug)]
pub(crate) struct ValidationRunner {
    /// The binary to validate with.
    pub(crate) program: PathBuf,
    /// The directory of the runs.
    pub(crate) runs: PathBuf,
    /// The suites to run; an empty list means all.
    pub(crate) suites: Vec<String>,
    /// Whether a validation continues after a check has detected the defect.
    pub(crate) no_early_stop: bool,
    /// Which of the checks that detected a defect run again alone.
    pub(crate) rerun: Option<Rerun>,
    /// The `--stack` option as arguments; empty for the target's own backend.
    pub(crate) stack: Vec<String>,
    /// A request to stop the calibration.
    pub(crate) interrupt: Interrupt,
}

impl ValidationRunner {
    /// Validates a subject; `None` if the calibration was interrupted before there was a verdict.
    pub(crate) async fn run(&self, subject: Subject) -> Option<ValidationOutcome> {
        if self.interrupt.by().is_some() {
            return None;
        }
        let started = Instant::now();
        let name = subject.id();
        let ended = self.validate(&name, &self.arguments(subject)).await;
        if self.interrupt.by().is_some() {
            return None;
        }
        let elapsed = started.elapsed();
        Some(match ended {
            Ok(Ok(run)) => {
                let verdict = judge(&run, &self.policy(), OffsetDateTime::now_utc());
                let mut outcome = ValidationOutcome::new(subject, &verdict, &self.suites, elapsed);
                outcome.reruns = self.run_again(subject, &outcome, &run).await?;
                outcome
            }
            Ok(Err(_)) => ValidationOutcome::broken(subject, self.last_line(&name), elapsed),
            Err(error) => ValidationOutcome::broken(subject, error.to_string(), elapsed),
        })
    }

    /// Runs checks that detected a defect again, each alone and with the same seed; `None` if interrupted.
    async fn run_again(
        &self,
        subject: Subject,
        outcome: &ValidationOutcome,
        run: &Run,
    ) -> Option<Vec<RerunOutcome>> {
        let most = match self.rerun {
            None => 0,
            Some(Rerun::First) => 1,
            Some(Rerun::All) => usize::MAX,
        };
        let mut reruns = Vec::new();
        for (number, check) in (1..).zip(outcome.detected_by.iter().take(most)) {
            let name = format!("{}-alone-{number}", subject.id());
            let mut arguments = vec!["--check".to_owned(), check.to_string()];
            if let Subject::Defect(defect) = subject {
                arguments.extend(["--defect".to_owned(), defect.id.to_owned()]);
            }
            if let Some(plan) = &run.plan {
                arguments.extend(["--seed".to_owned(), plan.seed.to_string()]);
            }
            let again = self.validate(&name, &arguments).await;
            if self.interrupt.by().is_some() {
                return None;
            }
            let failed = again.ok().and_then(Result::ok).is_some_and(|run| {
                let verdict = judge(&run, &self.policy(), OffsetDateTime::now_utc());
                let mut checks = verdict.checks.iter();
                checks.any(|judged| judged.id == *check && judged.status == CheckStatus::Failed)
            });
            reruns.push(RerunOutcome {
                check: check.clone(),
                failed,
            });
        }
        Some(reruns)
    }

    /// Runs a validation of this name to its end and reads its record.
    async fn validate(
        &self,
        name: &str,
        arguments: &[String],
    ) -> io::Result<Result<Run, LoadError>> {
        let child = self.start(name, arguments)?;
        child::wait(child, &self.interrupt).await?;
        Ok(Run::load(&self.runs.join(name)))
    }

    /// The default policy without the suites that do not run.
    fn policy(&self) -> Policy {
        let mut policy = Policy::default_gate();
        if !self.suites.is_empty() {
            policy.suites.retain(|rule| self.suites.contains(&rule.id));
        }
        policy
    }

    /// The arguments of the validation of a subject.
    fn arguments(&self, subject: Subject) -> Vec<String> {
        let suites = self.suites.iter().flat_map(|suite| ["--suite", suite]);
        let mut arguments: Vec<String> = suites.map(str::to_owned).collect();
        if let Subject::Defect(defect) = subject {
            arguments.extend(["--defect".to_owned(), defect.id.to_owned()]);
            // What runs first is tried even if no document becomes complete.
            let checks = defect.checks.iter();
            let first = checks.flat_map(|check| ["--run-first", check]);
            arguments.extend(first.map(str::to_owned));
            if !self.no_early_stop {
                // A NO-GO is final: no later check can turn it into a GO.
                arguments.push("--fail-fast".to_owned());
            }
        }
        arguments
    }

    fn start(&self, name: &str, arguments: &[String]) -> io::Result<Child> {
        let output = File::create(self.output_file(name))?;
        Command::new(&self.program)
            .args([
                OsStr::new("validate"),
                "--quiet".as_ref(),
                "--output".as_ref(),
            ])
            .arg(&self.runs)
            .args(&self.stack)
            .args(arguments)
            .env("CUTOVER_RUN_ID", name)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C must reach the calibration only, which then terminates its validations.
            .process_group(0)
            .spawn()
    }

    /// The file with a validation's output.
    fn output_file(&self, name: &str) -> PathBuf {
        self.runs.join(format!("{name}.txt"))
    }

    fn last_line(&self, name: &str) -> String {
        let output = fs::read_to_string(self.output_file(name)).unwrap_or_default();
        let last = output.lines().rfind(|line| !line.trim().is_empty());
        let last = last.unwrap_or_default().chars();
        let last: String = last.take(SHOWN_CHARACTERS).collect();
        format!("the validation left no record; its last line is: {last}")
    }
}
