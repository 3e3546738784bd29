//! `cutover baseline`, `compare` and `merge` as their users call them: files, exit codes and errors.

use cutover_test_support::TestHome;
use serde_json::{Value, json};

use crate::test_home;

/// Writes a run whose median response time is this.
fn write_run(home: &TestHome, directory: &str, id: &str, p50: f64) {
    let value = json!({
        "name": "response.p50", "unit": "ms", "better": "lower", "gated": true, "value": p50,
    });
    let machine = json!({ "cpus": 2, "model": "a processor", "os": "Linux 6" });
    let run = json!({
        "format": 1, "run": id, "target": "reference", "profile": "gate", "machine": machine,
        "values": [value],
    });
    let path = home.path(directory).join(id);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("measurements.json"), run.to_string()).unwrap();
}

/// Eight runs in this directory, slower by a factor.
fn write_runs(home: &TestHome, directory: &str, factor: f64) {
    for index in 0..8_u32 {
        let id = format!("{directory}-{index}");
        write_run(home, directory, &id, factor * (100.0 + f64::from(index)));
    }
}

fn call(home: &TestHome, arguments: &[&str], code: i32) -> String {
    let output = home.run(arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

#[test]
fn a_comparison_has_the_exit_code_of_its_decision() {
    let home = test_home();
    write_runs(&home, "before", 1.0);
    write_runs(&home, "equal", 1.0);
    write_runs(&home, "slower", 1.5);
    write_run(&home, "few", "one", 100.0);
    assert!(call(&home, &["compare", "before", "equal"], 0).contains("\nGO"));
    let slower = call(&home, &["compare", "before", "slower"], 1);
    assert!(
        slower.contains("NO-GO") && !slower.contains('\u{1b}'),
        "{slower}"
    );
    let few = call(&home, &["compare", "before", "few"], 3);
    assert!(few.contains("too few runs for any decision"), "{few}");
    let json = call(&home, &["compare", "before", "slower", "--json"], 1);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["comparison"]["decision"], "failed");
    assert_eq!(json["baseline"]["runs"].as_array().unwrap().len(), 8);
}

#[test]
fn a_baseline_that_is_missing_or_damaged_is_never_a_go() {
    let home = test_home();
    write_runs(&home, "before", 1.0);
    let missing = call(&home, &["compare", "main", "before"], 2);
    assert!(missing.contains("find baseline `main`"), "{missing}");
    for index in 0..8 {
        let run = format!("before/before-{index}");
        call(&home, &["baseline", "save", &run, "--name", "main"], 0);
    }
    write_runs(&home, "slower", 1.5);
    call(&home, &["compare", "main", "slower"], 1);
    assert!(call(&home, &["baseline", "list"], 0).contains("main: target reference"));
    assert!(call(&home, &["baseline", "show", "main"], 0).contains("103.5"));
    let stored = ".cutover/baselines/main/before-3.json";
    home.write(stored, "{");
    assert!(call(&home, &["compare", "main", "slower"], 2).contains(stored));
}

#[test]
fn a_run_is_compared_only_with_a_baseline_of_its_target_and_machine() {
    let home = test_home();
    let run = ["validate", "--dry-run", "--baseline", "main"];
    let missing = call(&home, &run, 2);
    assert!(missing.contains("there are no baselines"), "{missing}");
    write_runs(&home, "before", 1.0);
    call(
        &home,
        &["baseline", "save", "before/before-0", "--name", "main"],
        0,
    );
    let other = call(&home, &run, 2);
    assert!(other.contains("its target is 'reference'"), "{other}");
}

#[test]
fn the_reports_of_some_shards_are_not_merged() {
    let home = test_home();
    home.write("bad.json", "{}");
    assert!(call(&home, &["merge", "bad.json"], 2).contains("bad.json"));
    assert!(call(&home, &["merge", "absent.json"], 2).contains("absent.json"));
}
