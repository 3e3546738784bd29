//! Every seeded defect as a test: with it present, one of the checks it names must fail.

use std::process::{Command, ExitCode};

use cutover_harness::catalog::SeededDefect;
use cutover_harness::record::{Outcome, Run};
use libtest_mimic::{Arguments, Failed, Trial};

/// Stacks at a time: each is half a dozen processes.
const STACKS: usize = 3;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(STACKS);
    let defects = cutover::catalog().defects;
    let trials = defects
        .iter()
        .map(|defect| Trial::test(defect.id, || is_caught(defect)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
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
