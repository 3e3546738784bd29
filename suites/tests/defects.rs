//! Every seeded defect as a test: with the defect present, one of the checks it names must fail.
//!
//! `-- <name>...` runs the defects of these ids or slugs; any other word is a filter as usual.
//! Without either, a random sample runs and the other defects are ignored; the printed seed repeats
//! it. `-- --include-ignored` runs all of them; `cutover calibrate` does so much faster.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the sample is printed, so that a failure can be repeated"
)]

use std::collections::HashSet;
use std::num::ParseIntError;
use std::path::Path;
use std::process::{Command, ExitCode};

use cutover_harness::catalog::{Catalog, SeededDefect, UnknownDefect};
use cutover_harness::record::{Outcome, Run};
use cutover_test_support::output_text;
use libtest_mimic::{Arguments, Failed, Trial};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index;
use serde_json::Value;

/// The number of defects that run where none is named.
const SAMPLE: usize = 10;

/// The variable that repeats a sample.
const SEED: &str = "CUTOVER_SAMPLE_SEED";

/// Stacks at the same time: each is half a dozen processes.
const STACKS: usize = 3;

fn main() -> ExitCode {
    let catalog = cutover::catalog();
    let (named, mut arguments) = parse(&catalog);
    arguments.test_threads.get_or_insert(STACKS);
    if let Some(error) = misspelt(&catalog, &arguments) {
        eprintln!("error: {error}");
        // A filter alone may be meant for another test binary of `cargo test`.
        if !named.is_empty() {
            return ExitCode::from(2);
        }
    }
    match trials(&catalog, &named, &arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {SEED} is not a number: {error}; correct or unset it");
            ExitCode::from(2)
        }
    }
}

/// The defects that the command line names, and its other arguments.
fn parse(catalog: &Catalog) -> (Vec<&'static SeededDefect>, Arguments) {
    let mut named = Vec::new();
    let others = std::env::args().filter(|argument| match catalog.defect(argument) {
        Ok(defect) => {
            if !named.contains(&defect) {
                named.push(defect);
            }
            false
        }
        Err(_) => true,
    });
    let others: Vec<_> = others.collect();
    (named, Arguments::from_iter(others))
}

/// The error for a filter that matches no defect.
fn misspelt(catalog: &Catalog, arguments: &Arguments) -> Option<UnknownDefect> {
    let filter = arguments.filter.as_deref()?;
    let matches = |defect: &SeededDefect| {
        let name = format!("[{}] {}", defect.id, defect.slug);
        name.contains(filter)
    };
    if catalog.defects().any(matches) {
        return None;
    }
    catalog.defect(filter).err()
}

/// The named defects; where none is named, all of them, of which only a sample runs.
fn trials(
    catalog: &Catalog,
    named: &[&'static SeededDefect],
    arguments: &Arguments,
) -> Result<Vec<Trial>, ParseIntError> {
    if !named.is_empty() {
        return Ok(named.iter().map(|defect| trial(defect)).collect());
    }
    let defects: Vec<_> = catalog.defects().collect();
    if arguments.filter.is_some() || arguments.list {
        return Ok(defects.into_iter().map(trial).collect());
    }
    let sample = sample(defects.len(), seed()?);
    let trials = defects.into_iter().enumerate().map(|(index, defect)| {
        let skipped = !sample.contains(&index);
        trial(defect).with_ignored_flag(skipped)
    });
    Ok(trials.collect())
}

/// A test called `[<id>] <slug>`.
fn trial(defect: &'static SeededDefect) -> Trial {
    let test = move || match defect.measurement {
        None => is_caught(defect),
        Some(measurement) => is_caught_by_a_baseline(defect, measurement),
    };
    Trial::test(defect.slug, test).with_kind(defect.id)
}

/// The given seed, or a random one.
fn seed() -> Result<u64, ParseIntError> {
    std::env::var(SEED).map_or_else(|_| Ok(rand::random()), |seed| seed.parse())
}

/// The indices of a sample, which the printed seed repeats.
fn sample(population: usize, seed: u64) -> HashSet<usize> {
    println!("a sample of {SAMPLE} defects; {SEED}={seed} repeats it");
    let mut rng = StdRng::seed_from_u64(seed);
    let indices = index::sample(&mut rng, population, SAMPLE.min(population));
    indices.into_iter().collect()
}

/// A validation with some checks, whose run is in a directory.
fn validate(checks: &[&str], output: &Path) -> Command {
    let mut validate = Command::new(env!("CARGO_BIN_EXE_cutover"));
    validate.args(["validate", "--output"]).arg(output);
    for check in checks {
        validate.args(["--check", check]);
    }
    validate
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("CUTOVER_RUN_ID");
    validate
}

/// Validates a stack that has the defect, with the checks it names.
fn is_caught(defect: &SeededDefect) -> Result<(), Failed> {
    let output = tempfile::tempdir()?;
    let validated = validate(defect.checks, output.path())
        .args(["--defect", defect.id])
        .output()?;
    let run = Run::load(&output.path().join("latest"))?;
    if validated.status.code() == Some(1) && has_failed(&run, defect.checks) {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&validated.stdout);
    Err(format!(
        "\"{}\" is not caught by {:?}:\n{printed}",
        defect.title, defect.checks
    )
    .into())
}

/// The sides of the comparisons: the baseline, runs of the same pipeline, and runs of one with the defect.
const SIDES: [&str; 3] = ["before", "equal", "worse"];

/// The runs of each side.
const RUNS: usize = 6;

/// Measures stacks with and without the defect in turn: a comparison fails with it, and does not fail without it.
fn is_caught_by_a_baseline(defect: &SeededDefect, measurement: &str) -> Result<(), Failed> {
    let output = tempfile::tempdir()?;
    for run in 0..RUNS {
        let mut sides = SIDES;
        sides.rotate_left(run % SIDES.len());
        for side in sides {
            let mut validate = validate(defect.checks, &output.path().join(side));
            if side == "worse" {
                validate.args(["--defect", defect.id]);
            }
            validate
                .env("CUTOVER_RUN_ID", format!("{side}-{run}"))
                .output()?;
        }
    }
    let worse = judgement(output.path(), "worse", measurement)?;
    let equal = judgement(output.path(), "equal", measurement)?;
    if worse["judgement"]["judgement"] == "failed" && equal["judgement"]["judgement"] != "failed" {
        return Ok(());
    }
    Err(format!(
        "\"{}\" is not caught by a comparison of '{measurement}': {worse:#}\nwithout it: {equal:#}",
        defect.title
    )
    .into())
}

/// How a measurement of one side is judged, compared with that of the baseline.
fn judgement(directory: &Path, side: &str, measurement: &str) -> Result<Value, Failed> {
    let compared = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["compare", SIDES[0], side, "--json"])
        .current_dir(directory)
        .output()?;
    let report: Value = serde_json::from_slice(&compared.stdout)
        .map_err(|_| format!("no comparison: {}", output_text(&compared)))?;
    let measurements = report["comparison"]["measurements"].as_array();
    let judged = measurements.and_then(|all| all.iter().find(|one| one["name"] == measurement));
    let failed = judged.is_some_and(|one| one["judgement"]["judgement"] == "failed");
    // A regression of what counts is a NO-GO.
    if failed != (compared.status.code() == Some(1)) {
        return Err(format!("another measurement decides: {report:#}").into());
    }
    Ok(judged.cloned().unwrap_or_default())
}

/// Whether one of the checks, or a row of its table, failed.
fn has_failed(run: &Run, checks: &[&str]) -> bool {
    run.trials.iter().any(|trial| {
        trial.outcome() == Some(&Outcome::Failed)
            && checks
                .iter()
                .any(|check| trial.check.as_str().starts_with(check))
    })
}
