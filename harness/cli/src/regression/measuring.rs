//! Measures targets: runs of the suite `performance`, each in a process of its own, in turn.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::Context as _;
use cutover_evidence::interrupt::Interrupt;

use crate::child;
use cutover_regression::Measurements;
use cutover_reports::exit;
use cutover_reports::record::Profile;
use tokio::process::{Child, Command};

/// The suite that measures.
const SUITE: &str = "performance";

/// One run that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Whether it is a run of the candidate.
    pub(super) is_candidate: bool,
    /// The number of the run of its side, from 1.
    pub(super) number: u16,
}

/// The order of this many runs of each of the sides that are measured.
///
/// Two sides take turns as ABBA: what changes slowly on the machine affects both equally.
pub(super) fn turns(runs: u16, sides: [bool; 2]) -> Vec<Turn> {
    let pairs = (1..=runs).flat_map(|number| {
        let order = if number % 2 == 1 {
            [false, true]
        } else {
            [true, false]
        };
        order.map(|is_candidate| Turn {
            is_candidate,
            number,
        })
    });
    pairs
        .filter(|turn| sides[usize::from(turn.is_candidate)])
        .collect()
}

/// A run without measurements, and the exit code for it.
#[derive(Debug, thiserror::Error)]
#[error("measure '{target}': {reason}; its output is {output}")]
pub(super) struct Unmeasured {
    target: String,
    reason: String,
    output: String,
    /// That of the run if nothing ran, otherwise INCONCLUSIVE.
    #[source]
    source: Option<cutover_regression::MeasurementsError>,
    pub(super) code: u8,
}

/// Runs the suite.
#[derive(Debug)]
pub(super) struct Measuring {
    /// The binary.
    pub(super) program: PathBuf,
    /// The directory of the runs.
    pub(super) runs: PathBuf,
    pub(super) profile: Profile,
    pub(super) seed: u64,
    pub(super) interrupt: Interrupt,
}

impl Measuring {
    /// Makes one run of a target and reads its measurements.
    pub(super) async fn run(&self, target: &Path, turn: &Turn) -> anyhow::Result<Measurements> {
        let side = if turn.is_candidate { "b" } else { "a" };
        let name = format!("{side}-{:02}", turn.number);
        let output = self.runs.join(format!("{name}.txt"));
        let child = self.start(target, &name, turn.number, &output)?;
        let status = child::wait(child, &self.interrupt)
            .await
            .context("wait for a run")?;
        let unmeasured = |reason: String, code, source| Unmeasured {
            target: target.display().to_string(),
            reason,
            output: output.display().to_string(),
            source,
            code,
        };
        if let Some(signal) = self.interrupt.by() {
            let reason = format!("interrupted by {signal}");
            return Err(unmeasured(reason, exit::INCONCLUSIVE, None).into());
        }
        let code = code_of_a_run(status);
        let measurements = Measurements::read(&self.runs.join(&name)).map_err(|source| {
            let reason = format!("run {name} has no measurements: {}", last_line(&output));
            unmeasured(reason, code, Some(source))
        })?;
        Ok(measurements)
    }

    fn start(
        &self,
        target: &Path,
        name: &str,
        number: u16,
        output: &Path,
    ) -> anyhow::Result<Child> {
        let output = File::create(output).context("create the file of the output of a run")?;
        let seed = self.seed.wrapping_add(u64::from(number));
        Command::new(&self.program)
            .args(["validate", "--quiet", "--suite", SUITE])
            .args(["--profile", &self.profile.to_string()])
            .args(["--seed", &seed.to_string()])
            .arg("--target")
            .arg(target)
            .arg("--output")
            .arg(&self.runs)
            .env("CUTOVER_RUN_ID", name)
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("use the file twice")?)
            .stderr(output)
            // Ctrl-C must reach this process only, which then terminates the run.
            .process_group(0)
            .spawn()
            .context("start a run")
    }
}

/// The exit code for a run without measurements.
fn code_of_a_run(status: ExitStatus) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    // Nothing ran: the reason is that of the run.
    let refused = code.filter(|code| [exit::USAGE, exit::REFUSED].contains(code));
    refused.unwrap_or(exit::INCONCLUSIVE)
}

fn last_line(output: &Path) -> String {
    let text = fs::read_to_string(output).unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or("it printed nothing")
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(turns: &[Turn]) -> String {
        let letter = |turn: &Turn| if turn.is_candidate { 'b' } else { 'a' };
        turns.iter().map(letter).collect()
    }

    #[test]
    fn two_sides_take_turns_and_one_is_measured_alone() {
        assert_eq!(letters(&turns(4, [true, true])), "abbaabba");
        assert_eq!(letters(&turns(3, [true, true])), "abbaab");
        assert_eq!(letters(&turns(3, [false, true])), "bbb");
        assert_eq!(letters(&turns(2, [true, false])), "aa");
        assert!(turns(3, [false, false]).is_empty());
    }
}
