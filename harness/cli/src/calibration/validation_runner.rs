//! One validation in its own process: started, awaited and read back, or terminated on an interrupt.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cutover_reports::policy::Policy;
use cutover_reports::record::Run;
use cutover_reports::verdict::judge;
use rustix::process::{Pid, Signal, kill_process};
use time::OffsetDateTime;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::outcome::ValidationOutcome;
use super::subject::Subject;
use cutover_evidence::interrupt::Interrupt;

/// How long a terminated validation may take to stop its stacks.
const GRACE: Duration = Duration::from_secs(30);

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
        let ended = match self.start(subject) {
            Ok(child) => self.wait(child).await,
            Err(error) => Err(error),
        };
        if self.interrupt.by().is_some() {
            return None;
        }
        let elapsed = started.elapsed();
        let run = ended.map(|()| Run::load(&self.runs.join(subject.id())));
        Some(match run {
            Ok(Ok(run)) => {
                let verdict = judge(&run, &self.policy(), OffsetDateTime::now_utc());
                ValidationOutcome::new(subject, &verdict, &self.suites, elapsed)
            }
            Ok(Err(_)) => ValidationOutcome::broken(subject, self.last_line(subject), elapsed),
            Err(error) => ValidationOutcome::broken(subject, error.to_string(), elapsed),
        })
    }

    /// The default policy without the suites that do not run.
    fn policy(&self) -> Policy {
        let mut policy = Policy::default_gate();
        if !self.suites.is_empty() {
            policy.suites.retain(|rule| self.suites.contains(&rule.id));
        }
        policy
    }

    fn start(&self, subject: Subject) -> io::Result<Child> {
        let output = File::create(self.output_file(subject))?;
        let mut command = Command::new(&self.program);
        command
            .args([
                OsStr::new("validate"),
                "--quiet".as_ref(),
                "--output".as_ref(),
            ])
            .arg(&self.runs)
            .args(&self.stack)
            .args(self.suites.iter().flat_map(|suite| ["--suite", suite]));
        if let Subject::Defect(defect) = subject {
            // What runs first is tried even if no document becomes complete.
            let first = defect
                .checks
                .iter()
                .flat_map(|check| ["--run-first", check]);
            command.args(["--defect", defect.id]).args(first);
            if !self.no_early_stop {
                // A NO-GO is final: no later check can turn it into a GO.
                command.arg("--fail-fast");
            }
        }
        command
            .env("CUTOVER_RUN_ID", subject.id())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C must reach the calibration only, which then terminates its validations.
            .process_group(0)
            .spawn()
    }

    /// Waits for a validation to exit, and terminates it on an interrupt.
    async fn wait(&self, mut child: Child) -> io::Result<()> {
        tokio::select! {
            exited = child.wait() => return exited.map(drop),
            _ = self.interrupt.asked() => {}
        }
        let process = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(process) = process {
            // The validation stops its own stacks; one that has just exited needs no signal.
            let _ = kill_process(process, Signal::TERM);
        }
        match timeout(GRACE, child.wait()).await {
            Ok(exited) => exited.map(drop),
            Err(_) => child.kill().await,
        }
    }

    /// The file with a validation's output.
    fn output_file(&self, subject: Subject) -> PathBuf {
        self.runs.join(format!("{}.txt", subject.id()))
    }

    fn last_line(&self, subject: Subject) -> String {
        let output = fs::read_to_string(self.output_file(subject)).unwrap_or_default();
        let last = output.lines().rfind(|line| !line.trim().is_empty());
        let last = last.unwrap_or_default().chars();
        let last: String = last.take(SHOWN_CHARACTERS).collect();
        format!("the validation left no record; its last line is: {last}")
    }
}
