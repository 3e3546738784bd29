//! What a person sees while trials run: a progress bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use cutover_reports::render::Palette;
use cutover_reports::render::terminal::check_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::execute::TrialResult;
use crate::suite::Case;

/// How often the bar's clock moves on while nothing else does.
const TICK: Duration = Duration::from_millis(100);

/// What a person sees while trials run. Everything goes to standard error, so
/// that standard output holds the report alone.
pub struct Progress {
    bar: ProgressBar,
    palette: Palette,
    quiet: bool,
}

impl Progress {
    /// A bar over this many trials; hidden where standard error is not a terminal.
    pub fn new(trials: usize, palette: Palette, quiet: bool) -> Self {
        let target = if quiet || !io::stderr().is_terminal() {
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
            quiet,
        }
    }

    /// Says something between the trials.
    pub fn say(&self, line: &str) {
        if self.quiet {
            return;
        }
        if self.bar.is_hidden() {
            // A closed standard error is no reason to stop a run.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            self.bar.println(line);
        }
    }

    /// Says what is going on.
    pub fn doing(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// A trial has begun.
    pub fn started(&self, case: &Case) {
        self.doing(case.id.to_string());
    }

    /// A trial has ended.
    pub fn finished(&self, case: &Case, executed: &TrialResult) {
        self.say(&check_line(
            &case.id,
            &executed.outcome,
            executed.duration,
            self.palette,
        ));
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
