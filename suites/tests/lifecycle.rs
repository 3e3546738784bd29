//! A run that is stopped, killed or not alone: it says so, and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

mod home;
mod waiting;

use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use cutover_harness::record::{Outcome, RunEvent, Trial};
use home::{Home, signal};
use waiting::wait_for;

fn validate(home: &Home, profile: &str) -> Child {
    home.cutover("validate")
        .args(["--profile", profile, "--output"])
        .arg(home.output.path())
        .spawn()
        .unwrap()
}

/// The verdict on the newest run, by exit code.
fn judged(home: &Home) -> Option<i32> {
    home.cutover("judge")
        .arg(home.output.path().join("latest"))
        .status()
        .unwrap()
        .code()
}

fn stack_directories(home: &Home) -> usize {
    std::fs::read_dir(home.stacks.path())
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with("cutover-")
        })
        .count()
}

/// Waits until the last process is gone: one that was killed takes a moment to die.
fn deserted(home: &Home) {
    wait_for("the end of the last process", || {
        (processes_of(home.stacks.path()) == 0).then_some(())
    });
}

fn ended(child: &mut Child) -> ExitStatus {
    wait_for("the end of the run", || child.try_wait().unwrap())
}

/// Processes that mention a path on their command line.
fn processes_of(path: &Path) -> usize {
    let path = path.display().to_string();
    let all = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    String::from_utf8_lossy(&all.stdout)
        .lines()
        .filter(|line| line.contains(&path))
        .count()
}

#[test]
fn an_interrupted_run_is_inconclusive_and_leaves_nothing() {
    for name in ["INT", "TERM"] {
        let home = Home::new();
        let mut run = validate(&home, "gate");
        home.under_way(&mut run);
        signal(&run, name);
        assert_eq!(ended(&mut run).code(), Some(3), "after SIG{name}");
        let life = home.run().journal;
        assert!(
            life.iter()
                .any(|line| matches!(line.event, RunEvent::Interrupted { .. })),
            "{life:?}"
        );
        assert_eq!(stack_directories(&home), 0, "after SIG{name}");
        deserted(&home);
    }
}

#[test]
fn a_killed_run_is_inconclusive_and_swept() {
    let home = Home::new();
    let mut run = validate(&home, "gate");
    home.under_way(&mut run);
    signal(&run, "KILL");
    ended(&mut run);
    assert_eq!(judged(&home), Some(3));
    assert!(stack_directories(&home) > 0, "there is nothing to sweep");
    assert!(home.cutover("sweep").status().unwrap().success());
    assert_eq!(stack_directories(&home), 0);
    deserted(&home);
}

/// A policy that says this of a profile.
fn policy(home: &Home, profile: &str) -> std::path::PathBuf {
    let text = format!(
        "schema = 1\nname = \"test\"\nmax_age = \"1h\"\n[[suite]]\nid = \"smoke\"\nrequired = true\n{profile}"
    );
    let path = home.output.path().join("policy.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_profile_asks_again_and_ends_when_its_time_is_over() {
    for (times, code, attempts) in [
        ("rounds = 2", 0, 2),
        ("rounds = 1000\ntime_budget = \"3s\"", 0, 1),
        ("time_budget = \"0s\"", 3, 0),
    ] {
        let home = Home::new();
        let profile =
            format!("[profile.smoke]\nsuites = [\"smoke\"]\neffects = \"write_tenant\"\n{times}\n");
        let policy = policy(&home, &profile);
        let mut validate = home.cutover("validate");
        validate
            .args(["--profile", "smoke", "--policy"])
            .arg(policy);
        let status = validate
            .arg("--output")
            .arg(home.output.path())
            .status()
            .unwrap();
        assert_eq!(
            status.code(),
            Some(code),
            "{times}: {:?}",
            home.run().journal
        );
        let trials = home.run().trials;
        let passed = |trial: &&Trial| trial.outcome() == Some(&Outcome::Passed);
        let check = "smoke::a_deleted_document_is_gone";
        let asked = trials
            .iter()
            .filter(|trial| trial.check.as_str() == check)
            .filter(passed);
        assert!(asked.count() >= attempts, "{times}");
        assert_eq!(stack_directories(&home), 0);
    }
}

#[test]
fn two_runs_at_a_time_both_go() {
    let homes = [Home::new(), Home::new()];
    let mut runs = homes.each_ref().map(|home| validate(home, "smoke"));
    for (run, home) in runs.iter_mut().zip(&homes) {
        assert_eq!(ended(run).code(), Some(0), "{:?}", home.run().journal);
        assert_eq!(stack_directories(home), 0);
    }
}
