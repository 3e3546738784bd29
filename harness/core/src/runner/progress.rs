//! Live progress on standard error: running and failed checks on a terminal, failures and counts elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cutover_reports::record::{Outcome, SkipClass};
use cutover_reports::render::Palette;
use cutover_reports::render::terminal::check_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::execute::TrialResult;
use crate::suite::Case;

/// The interval at which the clock of the progress bar is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// How much is printed while trials run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing.
    Quiet,
    /// The running check on a terminal, failures, and counts where there is no terminal.
    Normal,
    /// A line for every check.
    Verbose,
}

/// Live progress. Everything goes to standard error, so that standard output
/// contains only the report.
pub struct Progress {
    bar: ProgressBar,
    palette: Palette,
    verbosity: Verbosity,
    state: Mutex<LiveState>,
}

#[derive(Default)]
struct LiveState {
    /// The ids of the running checks, oldest first.
    running: Vec<String>,
    counts: LiveCounts,
}

/// Finished trials by outcome.
#[derive(Debug, Default)]
struct LiveCounts {
    passed: usize,
    failed: usize,
    errored: usize,
    skipped: usize,
}

impl Progress {
    /// A bar over this many trials; hidden where standard error is not a terminal.
    pub fn new(trials: usize, palette: Palette, verbosity: Verbosity) -> Self {
        let target = if verbosity == Verbosity::Quiet || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(trials as u64), target);
        if let Ok(style) =
            ProgressStyle::with_template("  {elapsed:>4} {bar:24} {pos}/{len}  {wide_msg}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            palette,
            verbosity,
            state: Mutex::default(),
        }
    }

    /// Prints a line above the bar.
    pub fn println(&self, line: &str) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        if self.bar.is_hidden() {
            // A closed standard error must not stop the run.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            self.bar.println(line);
        }
    }

    /// Shows the current activity beside the bar.
    pub fn set_message(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    /// A trial has started.
    pub fn started(&self, case: &Case) {
        let message = self.with(|state| {
            state.running.push(case.id.to_string());
            running_message(&state.running)
        });
        self.set_message(message);
    }

    /// A trial has ended.
    pub fn finished(&self, case: &Case, trial: &TrialResult) {
        if self.verbosity == Verbosity::Verbose || is_noteworthy(&trial.outcome) {
            let (id, duration) = (&case.id, trial.duration);
            self.println(&check_line(id, &trial.outcome, duration, self.palette));
        }
        let message = self.with(|state| {
            state.counts.add(&trial.outcome);
            state.running.retain(|id| id != case.id.as_str());
            running_message(&state.running)
        });
        self.set_message(message);
        self.bar.inc(1);
    }

    /// Checks are not tried; one line for all of them.
    pub fn blocked(&self, checks: usize, reason: &str) {
        if checks == 0 {
            return;
        }
        let noun = if checks == 1 {
            "check is"
        } else {
            "checks are"
        };
        self.println(&format!("  {checks} {noun} not tried: {reason}"));
        self.with(|state| state.counts.skipped += checks);
        self.bar.inc(checks as u64);
    }

    /// Removes the bar. Where there was none, prints the counts.
    pub fn finish(&self) {
        let counts = self.with(|state| state.counts.to_string());
        if self.bar.is_hidden() && !counts.is_empty() {
            self.println(&counts);
        }
        self.bar.finish_and_clear();
    }

    fn with<T>(&self, work: impl FnOnce(&mut LiveState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether an outcome is printed without `--verbose`.
fn is_noteworthy(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed | Outcome::Errored { .. } => true,
        Outcome::Skipped { class, .. } => *class != SkipClass::NotApplicable,
        Outcome::Passed => false,
    }
}

/// The number of running checks, and the one that has run longest.
fn running_message(running: &[String]) -> String {
    match running {
        [] => String::new(),
        [only] => only.clone(),
        [oldest, ..] => format!("{} running: {oldest}", running.len()),
    }
}

impl LiveCounts {
    fn add(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Failed => &mut self.failed,
            Outcome::Errored { .. } => &mut self.errored,
            Outcome::Skipped { .. } => &mut self.skipped,
        };
        *count += 1;
    }
}

/// The counts that are not zero, such as `312 passed, 2 failed`.
impl std::fmt::Display for LiveCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.errored, "without a result"),
            (self.skipped, "skipped"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        f.write_str(&counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_name_only_outcomes_that_occurred() {
        let mut counts = LiveCounts::default();
        assert_eq!(counts.to_string(), "");
        let error = Outcome::Errored {
            cause: String::new(),
        };
        for outcome in [Outcome::Passed, error, Outcome::Passed] {
            counts.add(&outcome);
        }
        assert_eq!(counts.to_string(), "2 passed, 1 without a result");
    }

    #[test]
    fn only_passed_and_inapplicable_checks_are_omitted() {
        let skipped = |class| Outcome::Skipped {
            class,
            reason: String::new(),
        };
        assert!(is_noteworthy(&Outcome::Failed));
        assert!(is_noteworthy(&skipped(SkipClass::PreconditionMissing)));
        assert!(!is_noteworthy(&Outcome::Passed));
        assert!(!is_noteworthy(&skipped(SkipClass::NotApplicable)));
    }

    #[test]
    fn the_message_names_the_oldest_running_check() {
        let ids = ["a::b", "c::d", "e::f"].map(str::to_owned);
        assert_eq!(running_message(&[]), "");
        assert_eq!(running_message(&ids[..1]), "a::b");
        assert_eq!(running_message(&ids), "3 running: a::b");
    }
}
