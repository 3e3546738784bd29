//! Bad input gets a clear error that names the file, the key and the remedy, and exit code 2.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

/// What a call printed, and how it ended.
struct TokenClaims {
    code: i32,
    out: String,
    err: String,
}

/// Calls cutover in a directory of its own.
fn cutover(arguments: &[&str]) -> TokenClaims {
    cutover_in(&TempDir::new().unwrap(), arguments)
}

fn cutover_in(directory: &TempDir, arguments: &[&str]) -> TokenClaims {
    let output = Command::cargo_bin("cutover")
        .unwrap()
        .args(arguments)
        .current_dir(directory.path())
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("CUTOVER_RUN_ID")
        .output()
        .unwrap();
    TokenClaims {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Asserts that a call is refused before anything runs, and says why in these words.
fn refused(arguments: &[&str], words: &[&str]) {
    let directory = TempDir::new().unwrap();
    let said = cutover_in(&directory, arguments);
    assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
    for word in words {
        assert!(said.err.contains(word), "'{word}' is not in: {}", said.err);
    }
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        0,
        "something was written"
    );
}

fn file(text: &str) -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("given.toml");
    fs::write(&path, text).unwrap();
    (directory, path.display().to_string())
}

#[test]
fn an_unknown_flag_is_refused() {
    refused(&["validate", "--colour"], &["--colour", "--color"]);
}

#[test]
fn an_unknown_suite_is_refused_with_those_there_are() {
    refused(
        &["validate", "--suite", "pipelin"],
        &["'pipelin'", "pipeline"],
    );
}

#[test]
fn an_unknown_defect_is_refused() {
    refused(
        &["validate", "--defect", "Z-99"],
        &["'Z-99'", "cutover list --defects"],
    );
    refused(
        &["validate", "--defect", "share-claim"],
        &["'share-claim'", "did you mean 'shared-claim'?"],
    );
}

#[test]
fn a_calibration_with_an_unknown_defect_or_suite_is_refused_with_the_nearest() {
    refused(
        &["calibrate", "--defect", "C-01", "Z-99"],
        &["'Z-99'", "cutover list --defects"],
    );
    refused(
        &["calibrate", "--defect", "C-01", "share-claim"],
        &["'share-claim'", "did you mean 'shared-claim'?"],
    );
    refused(
        &["calibrate", "--suite", "pipelin"],
        &["'pipelin'", "pipeline"],
    );
}

#[test]
fn a_missing_target_is_refused() {
    refused(
        &["validate", "--target", "nowhere.toml"],
        &[
            "error: failed to read target 'nowhere.toml'\n  caused by: ",
            "\nhelp: name a target file with --target",
        ],
    );
}

#[test]
fn a_smoke_test_without_a_target_is_refused_unless_it_is_local() {
    refused(
        &["smoke"],
        &["error: failed to select a target", "\nhelp: ", "--local"],
    );
    refused(
        &["smoke", "--local", "--target", "nowhere.toml"],
        &["--local", "--target"],
    );
    let local = cutover(&["smoke", "--local", "--dry-run"]);
    assert_eq!(local.code, 0, "{}", local.err);
    assert!(local.out.contains("profile smoke"), "{}", local.out);
}

#[test]
fn the_version_names_the_package_and_the_commit() {
    let version = cutover(&["--version"]).out;
    let package = concat!("cutover ", env!("CARGO_PKG_VERSION"));
    let rest = version.trim_end().strip_prefix(package);
    let rest = rest.unwrap_or_else(|| panic!("{version}"));
    let commit = rest
        .strip_prefix(" (")
        .and_then(|rest| rest.strip_suffix(')'));
    let is_hexadecimal = |commit: &str| commit.chars().all(|c| c.is_ascii_hexdigit());
    assert!(
        rest.is_empty() || commit.is_some_and(is_hexadecimal),
        "{version}"
    );
}

#[test]
fn the_help_says_what_the_program_does_and_lists_its_services() {
    let help = cutover(&["--help"]).out;
    let about = "Go/no-go validation for document-processing pipelines\n";
    assert!(help.starts_with(about), "{help}");
    for text in ["Built-in services:\n  reference", "Exit codes"] {
        assert!(help.contains(text), "'{text}' is not in: {help}");
    }
}

#[test]
fn the_help_of_validate_is_grouped() {
    let help = cutover(&["validate", "--help"]).out;
    let headings = [
        "\nTarget:\n",
        "\nSelection:\n",
        "\nExecution:\n",
        "\nOutput:\n",
    ];
    let positions = headings.map(|heading| help.find(heading));
    assert!(positions.iter().all(Option::is_some), "{help}");
    assert!(positions.is_sorted(), "{help}");
}

#[test]
fn the_former_option_names_are_accepted() {
    let run = cutover(&["validate", "--first", "search", "--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.err);
    refused(
        &["calibrate", "--whole", "--defect", "Z-99"],
        &["failed to find seeded defect 'Z-99'"],
    );
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = cutover(&["completions", shell]);
        assert_eq!(said.code, 0, "{}", said.err);
        for name in ["validate", "standins"] {
            assert!(said.out.contains(name), "{shell} lacks {name}");
        }
    }
}

#[test]
fn a_malformed_target_is_refused_with_its_line() {
    let (_directory, path) = file("schema = 1\nname = \"x\"\nclass = \"locl\"\n");
    refused(
        &["validate", "--target", &path],
        &["given.toml:3", "locl", "local"],
    );
}

#[test]
fn an_unknown_key_in_a_target_is_refused_with_its_line() {
    let (_directory, path) = file("schema = 1\nname = \"x\"\nclass = \"local\"\nretries = 3\n");
    refused(
        &["validate", "--target", &path],
        &["given.toml:4", "retries"],
    );
}

#[test]
fn an_unknown_key_in_a_targets_contract_is_refused() {
    let (_directory, path) =
        file("schema = 1\nname = \"x\"\nclass = \"local\"\n[contract.limits]\nmax_byte = 3\n");
    refused(
        &["validate", "--target", &path],
        &["given.toml", "max_byte"],
    );
}

#[test]
fn a_machine_without_postgresql_is_told_what_to_do() {
    let directory = TempDir::new().unwrap();
    let said = Command::cargo_bin("cutover")
        .unwrap()
        .arg("validate")
        .current_dir(directory.path())
        .env("CUTOVER_POSTGRES_BIN", directory.path())
        .output()
        .unwrap();
    let error = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(2), "{error}");
    assert!(error.contains("initdb"), "{error}");
}

#[test]
fn a_missing_policy_is_refused() {
    refused(
        &["validate", "--policy", "nowhere.toml"],
        &["nowhere.toml", "--policy"],
    );
}

#[test]
fn a_malformed_policy_is_refused_with_its_line() {
    let (_directory, path) = file("schema = 1\nname = \"x\"\nbarr = \"high\"\n");
    refused(&["validate", "--policy", &path], &["given.toml:3", "barr"]);
}

#[test]
fn a_run_directory_that_is_not_there_is_refused() {
    refused(&["judge", "nowhere"], &["nowhere"]);
}

#[test]
fn a_directory_that_is_not_a_run_is_refused_and_not_written_to() {
    refused(
        &["judge", ".", "--write"],
        &[
            "'.'",
            "plan.json",
            "run.jsonl",
            "\nhelp: ",
            "cutover validate",
        ],
    );
}

#[test]
fn a_filter_that_matches_nothing_is_inconclusive() {
    let said = cutover(&["validate", "--check", "no_such_check"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("INCONCLUSIVE"), "{}", said.out);
    let reason = "reason    │ no check matches 'no_such_check'";
    assert!(said.out.contains(reason), "{}", said.out);
}

#[test]
fn listing_writes_nothing() {
    let directory = TempDir::new().unwrap();
    let said = cutover_in(&directory, &["list"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("pipeline"), "{}", said.out);
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        0,
        "something was written"
    );
}

#[test]
fn a_list_contains_the_selected_checks_by_topic() {
    let said = cutover(&["list", "--suite", "smoke"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\n  document flow\n"), "{}", said.out);
    assert!(!said.out.contains("pipeline:"), "{}", said.out);
    refused(
        &["list", "--check", "no_such_check"],
        &["failed to select checks", "'no_such_check'", "\nhelp: "],
    );
}

#[test]
fn seeded_defects_are_listed_within_80_columns() {
    let said = cutover(&["list", "--defects"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("shared-claim"), "{}", said.out);
    for line in said.out.lines().filter(|line| !line.starts_with(' ')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_target_file_is_written_once_unless_it_is_forced() {
    let directory = TempDir::new().unwrap();
    let init = [
        "init",
        "--api",
        "http://127.0.0.1:8000",
        "--identity",
        "login",
        "--standins",
    ];
    let said = cutover_in(&directory, &init);
    assert_eq!(said.code, 0, "{}", said.err);
    let path = directory.path().join("cutover.toml");
    let first = fs::read_to_string(&path).unwrap();
    assert!(first.contains("\n[standins.keys]") && first.contains("\n[identity.login]"));
    let other = ["init", "--api", "https://api.example.org"];
    let said = cutover_in(&directory, &other);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("cutover.toml") && said.err.contains("--force"),
        "{}",
        said.err
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    let said = cutover_in(&directory, &[&other[..], &["--force"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let second = fs::read_to_string(&path).unwrap();
    assert!(second.contains("https://api.example.org") && second.contains("\n# [standins.keys]"));
}

#[test]
fn a_target_file_is_not_written_about_nothing() {
    refused(&["init"], &["--api", "\nhelp: "]);
    refused(&["init", "--api", "example"], &["https://api.example.org"]);
}

#[test]
fn the_schemas_are_json() {
    for document in ["target", "contract", "policy"] {
        let said = cutover(&["schema", document]);
        let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            schema["additionalProperties"], false,
            "{document} takes unknown keys"
        );
    }
}
