//! Every seeded defect as a test: with it present, one of the checks it names must fail.
//!
//! Unless a name is given, a sample of them is tried, drawn by a seed that is printed; the others
//! are ignored. `-- --include-ignored` tries all, and so does `cutover calibrate`, much faster.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the draw is said to whoever runs the test"
)]

use std::collections::HashSet;
use std::num::ParseIntError;
use std::process::{Command, ExitCode};

use cutover_harness::catalog::SeededDefect;
use cutover_harness::record::{Outcome, Run};
use libtest_mimic::{Arguments, Failed, Trial};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index;

/// How many are tried where nobody says which.
const SAMPLE: usize = 10;

/// The variable that repeats a draw.
const SEED: &str = "CUTOVER_SAMPLE_SEED";

/// Stacks at a time: each is half a dozen processes.
const STACKS: usize = 3;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(STACKS);
    let defects = cutover::catalog().defects;
    let drawn = if arguments.filter.is_some() || arguments.list {
        (0..defects.len()).collect()
    } else {
        match seed() {
            Ok(seed) => draw(defects.len(), seed),
            Err(error) => {
                eprintln!("error: {SEED} is no number: {error}; unset or mend it");
                return ExitCode::from(2);
            }
        }
    };
    let trials = defects.iter().enumerate().map(|(index, defect)| {
        Trial::test(defect.id, || is_caught(defect)).with_ignored_flag(!drawn.contains(&index))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The seed that is given, or a fresh one.
fn seed() -> Result<u64, ParseIntError> {
    std::env::var(SEED).map_or_else(|_| Ok(rand::random()), |seed| seed.parse())
}

/// The places of a sample, by a seed that is said.
fn draw(of: usize, seed: u64) -> HashSet<usize> {
    println!("a sample of {SAMPLE} defects; {SEED}={seed} draws it again");
    let mut rng = StdRng::seed_from_u64(seed);
    let drawn = index::sample(&mut rng, of, SAMPLE.min(of));
    drawn.into_iter().collect()
}

/// Validates a stack that has the defect, with the checks it names.
fn is_caught(defect: &SeededDefect) -> Result<(), Failed> {
    let output = tempfile::tempdir()?;
    let mut validate = Command::new(env!("CARGO_BIN_EXE_cutover"));
    validate
        .args(["validate", "--defect", defect.id, "--output"])
        .arg(output.path());
    for check in defect.blames {
        validate.args(["--check", check]);
    }
    let said = validate
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("CUTOVER_RUN_ID")
        .output()?;
    let run = Run::load(&output.path().join("latest"))?;
    if said.status.code() == Some(1) && blamed(&run, defect.blames) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    Err(format!(
        "{} is not caught by {:?}:\n{said}",
        defect.title, defect.blames
    )
    .into())
}

/// Whether one of the checks, or a row of its table, failed.
fn blamed(run: &Run, checks: &[&str]) -> bool {
    run.trials.iter().any(|trial| {
        trial.outcome() == Some(&Outcome::Failed)
            && checks
                .iter()
                .any(|check| trial.check.as_str().starts_with(check))
    })
}
