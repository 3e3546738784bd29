//! One validation as a process of its own: started, waited for, read back; ended in good order when asked to.

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

use super::reading::ValidationOutcome;
use super::subject::Subject;
use cutover_evidence::interrupt::Interrupt;

/// How long a validation that is told to end may take to take its stacks down.
const GRACE: Duration = Duration::from_secs(30);

/// How much of what a validation said is shown where it left no record.
const SHOWN: usize = 200;

/// Runs validations and reads them back.
#[derive(Debug)]
pub(crate) struct ValidationRunner {
    /// The binary to validate with.
    pub(crate) program: PathBuf,
    /// Where the runs go.
    pub(crate) runs: PathBuf,
    /// The suites to run; none means all of them.
    pub(crate) suites: Vec<String>,
    /// Whether a validation goes on when a check that must notice the defect has.
    pub(crate) whole: bool,
    /// What the stacks run on, as words of a command line; none where the target says it.
    pub(crate) stack: Vec<String>,
    /// Who may ask for an early end.
    pub(crate) interrupt: Interrupt,
}

impl ValidationRunner {
    /// Validates a subject; nothing where somebody asked for an end before there was a verdict.
    pub(crate) async fn examine(&self, subject: Subject) -> Option<ValidationOutcome> {
        if self.interrupt.by().is_some() {
            return None;
        }
        let began = Instant::now();
        let ended = match self.start(subject) {
            Ok(child) => self.wait(child).await,
            Err(error) => Err(error),
        };
        if self.interrupt.by().is_some() {
            return None;
        }
        let took = began.elapsed();
        Some(
            match ended.map(|()| Run::load(&self.runs.join(subject.id()))) {
                Ok(Ok(run)) => {
                    let verdict = judge(&run, &self.policy(), OffsetDateTime::now_utc());
                    ValidationOutcome::of(subject, &verdict, &self.suites, took)
                }
                Ok(Err(_)) => ValidationOutcome::broken(subject, self.last_words(subject), took),
                Err(error) => ValidationOutcome::broken(subject, error.to_string(), took),
            },
        )
    }

    /// The default rules, as far as they are about what is asked for.
    fn policy(&self) -> Policy {
        let mut policy = Policy::default_gate();
        if !self.suites.is_empty() {
            policy.suites.retain(|rule| self.suites.contains(&rule.id));
        }
        policy
    }

    fn start(&self, subject: Subject) -> io::Result<Child> {
        let said = File::create(self.said(subject))?;
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
            command.args(["--defect", defect.id]);
            if !self.whole {
                // The verdict is monotone: no later check makes a go of it.
                let first = defect.checks.iter().flat_map(|check| ["--first", check]);
                command.arg("--fail-fast").args(first);
            }
        }
        command
            .env("CUTOVER_RUN_ID", subject.id())
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            // Ctrl-C reaches this process alone, which then ends the others in order.
            .process_group(0)
            .spawn()
    }

    /// Waits for the end, and brings it about when somebody asks.
    async fn wait(&self, mut child: Child) -> io::Result<()> {
        tokio::select! {
            ended = child.wait() => return ended.map(drop),
            _ = self.interrupt.asked() => {}
        }
        let process = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(process) = process {
            // It takes its own stacks down; one that has just ended needs no signal.
            let _ = kill_process(process, Signal::TERM);
        }
        match timeout(GRACE, child.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => child.kill().await,
        }
    }

    /// Where a validation's output goes.
    fn said(&self, subject: Subject) -> PathBuf {
        self.runs.join(format!("{}.txt", subject.id()))
    }

    fn last_words(&self, subject: Subject) -> String {
        let said = fs::read_to_string(self.said(subject)).unwrap_or_default();
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let last: String = last.unwrap_or_default().chars().take(SHOWN).collect();
        format!("it left no record; it said: {last}")
    }
}
