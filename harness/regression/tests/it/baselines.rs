//! Baselines in a directory: what is stored, and what is refused.

use std::fs;

use cutover_regression::{BaselineError, Baselines, Measurements};

use crate::runs::{measurement, run};

fn run_named(id: &str) -> Measurements {
    run(id, vec![measurement("p50", 12.5)])
}

#[test]
fn what_is_saved_is_listed_and_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let baselines = Baselines::new(directory.path().join("not/yet/there"));
    assert!(baselines.list().unwrap().is_empty());
    for (name, id) in [("main", "b"), ("main", "a"), ("next", "c")] {
        baselines.save(name, &run_named(id)).unwrap();
    }
    assert_eq!(baselines.list().unwrap(), ["main", "next"]);
    let loaded = baselines.load("main").unwrap();
    assert_eq!(loaded, [run_named("a"), run_named("b")]);
}

#[test]
fn a_run_that_is_not_comparable_is_refused_with_what_differs() {
    let directory = tempfile::tempdir().unwrap();
    let baselines = Baselines::new(directory.path());
    baselines.save("main", &run_named("a")).unwrap();
    let mut target = run_named("b");
    target.target = "other".to_owned();
    let mut profile = run_named("b");
    profile.profile = "gate".to_owned();
    let mut machine = run_named("b");
    machine.machine.cpus = 64;
    let mut invalid = run_named("b");
    invalid.values[0].invalid = Some("the generator was late".to_owned());
    for (run, expected) in [
        (
            target,
            "its target is `other`, and that of the others `reference`",
        ),
        (profile, "its profile is `gate`"),
        (machine, "its machine is `64 × a processor, Linux 6`"),
        (invalid, "`p50` is no measurement: the generator was late"),
        (run_named("a"), "it is stored there"),
        (run_named("../b"), "use the name `../b`"),
    ] {
        let error = baselines.save("main", &run).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(baselines.load("main").unwrap().len(), 1);
}

#[test]
fn a_baseline_that_is_absent_or_damaged_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let baselines = Baselines::new(directory.path());
    baselines.save("main", &run_named("a")).unwrap();
    let error = baselines.load("mian").unwrap_err();
    assert!(matches!(error, BaselineError::Absent { .. }), "{error}");
    assert!(
        error.to_string().contains("the baselines are: main"),
        "{error}"
    );
    for name in ["", "..", "a/b", ".hidden", &"x".repeat(101)] {
        let error = baselines.load(name).unwrap_err();
        assert!(matches!(error, BaselineError::Name(_)), "{error}");
    }
    fs::write(directory.path().join("main/b.json"), "{").unwrap();
    let error = baselines.load("main").unwrap_err();
    assert!(matches!(error, BaselineError::Measurements(_)), "{error}");
}

#[test]
fn a_stored_run_of_another_machine_is_noticed_when_it_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let baselines = Baselines::new(directory.path());
    baselines.save("main", &run_named("a")).unwrap();
    let mut other = run_named("b");
    other.machine.os = "another".to_owned();
    baselines.save("other", &other).unwrap();
    fs::rename(
        directory.path().join("other/b.json"),
        directory.path().join("main/b.json"),
    )
    .unwrap();
    let error = baselines.load("main").unwrap_err();
    assert!(matches!(error, BaselineError::Other { .. }), "{error}");
}
