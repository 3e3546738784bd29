//! What a run costs: medians of five whole validations, and of listing. Prints, and asserts nothing.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover_harness::record::{Run, RunEvent};
use time::OffsetDateTime;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;

fn main() -> Outcome<()> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Figures::of_one_run()?);
    }
    print(
        "stack ready, from process start",
        "2.0 s",
        rounds.iter().map(|round| round.ready),
    );
    print(
        "the suites",
        "10 s",
        rounds.iter().map(|round| round.suites),
    );
    print("teardown", "1 s", rounds.iter().map(|round| round.teardown));
    print(
        "list",
        "50 ms",
        (0..ROUNDS).map(|_| list()).collect::<Outcome<Vec<_>>>()?,
    );
    let mut peaks: Vec<_> = rounds.iter().map(|round| round.peak_kib).collect();
    peaks.sort_unstable();
    println!(
        "{:34} {:>9.1} MB   goal {:>6}",
        "peak memory of the harness",
        f64::from(peaks[ROUNDS / 2]) / 1024.0,
        "150 MB"
    );
    Ok(())
}

fn print(what: &str, goal: &str, figures: impl IntoIterator<Item = Duration>) {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_unstable();
    let [least, .., most] = figures[..] else {
        return;
    };
    let median = figures[figures.len() / 2];
    println!(
        "{what:34} {:>9.3} s    goal {goal:>6}   ({:.3} to {:.3})",
        median.as_secs_f64(),
        least.as_secs_f64(),
        most.as_secs_f64()
    );
}

/// The figures of one whole run.
struct Figures {
    ready: Duration,
    suites: Duration,
    teardown: Duration,
    peak_kib: u32,
}

impl Figures {
    fn of_one_run() -> Outcome<Self> {
        let output = tempfile::tempdir()?;
        let began = OffsetDateTime::now_utc();
        let mut run = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["validate", "--quiet", "--output"])
            .arg(output.path())
            .stdout(Stdio::null())
            .spawn()?;
        let peak_kib = peak(&mut run)?;
        let run = Run::load(&output.path().join("latest"))?;
        let [identified, again, finished] = milestones(&run)?;
        Ok(Self {
            ready: (identified - began).unsigned_abs(),
            suites: (again - identified).unsigned_abs(),
            teardown: (finished - again).unsigned_abs(),
            peak_kib,
        })
    }
}

/// When the stack was ready, when the last check had ended, and when the stack was gone.
fn milestones(run: &Run) -> Outcome<[OffsetDateTime; 3]> {
    let moments = run.journal.iter().filter(|line| {
        matches!(
            line.event,
            RunEvent::Identified { .. } | RunEvent::Finished { .. }
        )
    });
    let moments: Vec<_> = moments.map(|line| line.at).collect();
    moments
        .try_into()
        .map_err(|found| format!("the run did not go as planned: {found:?}").into())
}

/// Watches a process to its end and gives its peak of resident memory.
fn peak(run: &mut Child) -> Outcome<u32> {
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait()?.is_none() {
        peak = peak.max(high_water_mark(Path::new(&status)).unwrap_or_default());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(peak)
}

fn high_water_mark(status: &Path) -> Option<u32> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn list() -> Outcome<Duration> {
    let begin = Instant::now();
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .arg("list")
        .stdout(Stdio::null())
        .status()?;
    Ok(begin.elapsed())
}
