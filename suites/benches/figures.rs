//! The time and memory that a validation takes: medians of five runs, and of five calls of `list`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cutover_harness::record::{Run, RunEvent};
use time::OffsetDateTime;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each figure is measured.
const ROUNDS: usize = 5;

/// How often the memory of a run is read.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let runs: Vec<_> = (0..ROUNDS)
        .map(|_| RunFigures::measure())
        .collect::<Result<_>>()?;
    let of_runs = |figure: fn(&RunFigures) -> Duration| runs.iter().map(figure).collect();
    let lists = (0..ROUNDS).map(|_| list_time()).collect::<Result<_>>()?;
    print_times(
        "stack ready, from process start",
        "2.0 s",
        of_runs(|run| run.ready),
    );
    print_times("the suites", "10 s", of_runs(|run| run.suites));
    print_times("teardown", "1 s", of_runs(|run| run.teardown));
    print_times("list", "50 ms", lists);
    print_peak(runs.iter().map(|run| run.peak_kib).collect());
    Ok(())
}

/// Prints the median of some times, with the goal, the minimum and the maximum.
fn print_times(name: &str, goal: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let [minimum, .., maximum] = times[..] else {
        return;
    };
    let median = times[times.len() / 2];
    println!(
        "{name:34} {:>9.3} s    goal {goal:>6}   ({:.3} to {:.3})",
        median.as_secs_f64(),
        minimum.as_secs_f64(),
        maximum.as_secs_f64()
    );
}

fn print_peak(mut peaks: Vec<u32>) {
    peaks.sort_unstable();
    println!(
        "{:34} {:>9.1} MB   goal {:>6}",
        "peak memory of the harness",
        f64::from(peaks[peaks.len() / 2]) / 1024.0,
        "150 MB"
    );
}

/// The figures of one validation.
struct RunFigures {
    /// From the start of the process until the stack is ready.
    ready: Duration,
    suites: Duration,
    teardown: Duration,
    /// The peak of resident memory.
    peak_kib: u32,
}

impl RunFigures {
    fn measure() -> Result<Self> {
        let output = tempfile::tempdir()?;
        let started = OffsetDateTime::now_utc();
        let mut process = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["validate", "--quiet", "--output"])
            .arg(output.path())
            .stdout(Stdio::null())
            .spawn()?;
        let peak_kib = peak_memory(&mut process)?;
        let run = Run::load(&output.path().join("latest"))?;
        let [ready, checked, finished] = milestones(&run)?;
        Ok(Self {
            ready: (ready - started).unsigned_abs(),
            suites: (checked - ready).unsigned_abs(),
            teardown: (finished - checked).unsigned_abs(),
            peak_kib,
        })
    }
}

/// When the stack was ready, when the last check had ended, and when the stack was removed.
fn milestones(run: &Run) -> Result<[OffsetDateTime; 3]> {
    let events = run.journal.iter().filter(|line| {
        matches!(
            line.event,
            RunEvent::Identified { .. } | RunEvent::Finished { .. }
        )
    });
    let times: Vec<_> = events.map(|line| line.at).collect();
    times
        .try_into()
        .map_err(|times| format!("three events expected, found {times:?}").into())
}

/// Waits for the end of a process, and returns its peak of resident memory in KiB.
fn peak_memory(process: &mut Child) -> Result<u32> {
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    while process.try_wait()?.is_none() {
        peak = peak.max(high_water_mark(Path::new(&status)).unwrap_or_default());
        thread::sleep(POLL_INTERVAL);
    }
    Ok(peak)
}

fn high_water_mark(status: &Path) -> Option<u32> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn list_time() -> Result<Duration> {
    let started = Instant::now();
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .arg("list")
        .stdout(Stdio::null())
        .status()?;
    Ok(started.elapsed())
}
