//! A calibration from end to end: a defect and a sound stack, each validated as a user would.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

mod waiting;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use waiting::wait_for;

/// A calibration with its runs and its stacks in directories of its own.
struct Home {
    output: TempDir,
    stacks: TempDir,
}

impl Home {
    fn new() -> Self {
        let stacks = tempfile::Builder::new()
            .prefix("cutover-home-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .unwrap();
        Self {
            output: TempDir::new().unwrap(),
            stacks,
        }
    }

    fn calibrate(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["calibrate", "--output"])
            .arg(self.output.path())
            .args(arguments)
            .env("TMPDIR", self.stacks.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// The directory of the calibration, once there is one.
    fn directory(&self) -> Option<PathBuf> {
        let mut entries = fs::read_dir(self.output.path()).unwrap();
        entries.next().map(|entry| entry.unwrap().path())
    }

    fn calibration(&self) -> Value {
        let path = self.directory().unwrap().join("calibration.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn is_clean(&self) -> bool {
        fs::read_dir(self.stacks.path()).unwrap().next().is_none()
    }
}

#[test]
fn a_defect_is_detected_and_a_sound_stack_passes() {
    let home = Home::new();
    let mut child = home.calibrate(&["--suite", "smoke", "--defect", "X-07", "--healthy", "1"]);
    let status = child.wait().unwrap();
    let calibration = home.calibration();
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
    let page = fs::read_to_string(home.directory().unwrap().join("calibration.md")).unwrap();
    assert!(page.contains("| X-07 |"), "{page}");
    assert!(home.is_clean());
}

#[test]
fn an_interrupted_calibration_takes_its_validations_with_it() {
    let home = Home::new();
    let mut child = home.calibrate(&["--defect", "X-07"]);
    wait_for("the first trial", || {
        let trials = home.directory()?.join("runs/X-07/trials");
        fs::read_dir(trials).ok()?.next()
    })
    .unwrap();
    let told = Command::new("kill").arg(child.id().to_string()).status();
    assert!(told.unwrap().success());
    let status = wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(3));
    let calibration = home.calibration();
    assert_eq!(calibration["interrupted"], "SIGTERM");
    assert_eq!(calibration["detection"]["of"], 0);
    assert!(home.is_clean(), "a stack was left behind");
}
