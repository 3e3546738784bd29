//! `cutover calibrate` with one seeded defect and one healthy stack, and when it is interrupted.

use std::fs;
use std::path::PathBuf;

use cutover_test_support::{Signal, TestHome, TestProcess, wait_for};
use serde_json::Value;

use crate::test_home;

/// Where the calibration of a test goes, below its working directory.
const OUTPUT: &str = "calibrations";

fn calibrate(home: &TestHome, arguments: &[&str]) -> TestProcess {
    home.spawn([&["calibrate", "--output", OUTPUT], arguments].concat())
}

/// The directory of the calibration, once it exists.
fn directory(home: &TestHome) -> Option<PathBuf> {
    let mut entries = fs::read_dir(home.path(OUTPUT)).ok()?;
    entries.next().map(|entry| entry.unwrap().path())
}

fn calibration(home: &TestHome) -> Value {
    let path = directory(home).unwrap().join("calibration.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_defect_is_detected_and_a_healthy_stack_passes() {
    let home = test_home();
    let arguments = ["--suite", "smoke", "--defect", "X-07", "--healthy", "1"];
    let status = calibrate(&home, &arguments).wait();
    let calibration = calibration(&home);
    assert_eq!(status.code(), Some(0), "{calibration:#}");
    assert_eq!(calibration["detection"]["hits"], 1);
    assert_eq!(calibration["false_alarms"]["hits"], 0);
    let readings = calibration["readings"].as_array().unwrap();
    let seen: Vec<_> = readings
        .iter()
        .map(|reading| (&reading["id"], &reading["ruling"], &reading["decision"]))
        .collect();
    assert_eq!(
        seen[0],
        (&"X-07".into(), &"detected".into(), &"no_go".into())
    );
    assert_eq!(
        seen[1],
        (&"healthy-1".into(), &"sound".into(), &"go".into())
    );
    let page = fs::read_to_string(directory(&home).unwrap().join("calibration.md")).unwrap();
    assert!(page.contains("| X-07 |"), "{page}");
    assert_eq!(home.leftovers(), [""; 0]);
}

#[test]
fn an_interrupted_calibration_ends_its_validations() {
    let home = test_home();
    let mut process = calibrate(&home, &["--defect", "X-07"]);
    wait_for("the first trial", || {
        let trials = directory(&home)?.join("runs/X-07/trials");
        fs::read_dir(trials).ok()?.next()
    })
    .unwrap();
    process.send_signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(3));
    let calibration = calibration(&home);
    assert_eq!(calibration["interrupted"], "SIGTERM");
    assert_eq!(calibration["detection"]["of"], 0);
    assert_eq!(home.leftovers(), [""; 0], "a stack was left behind");
}
