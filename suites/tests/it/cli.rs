//! Wrong input is refused with exit code 2 and an error that names the file, the key and the remedy.

use std::path::Path;
use std::process::Output;

use cutover_test_support::{TestHome, output_text};
use serde_json::Value;

use crate::test_home;

fn stdout(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

/// What a call came to.
struct Call {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Call {
    let output = test_home().run(arguments);
    Call {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Asserts that a call is refused before anything is written, with an error that contains these words.
fn assert_refused(arguments: &[&str], words: &[&str]) {
    assert_refused_in(&test_home(), arguments, words);
}

/// Asserts that a call with a file of this content is refused, with an error that contains these words.
fn assert_file_refused(option: &str, content: &str, words: &[&str]) {
    let home = test_home();
    home.write("given.toml", content);
    assert_refused_in(&home, &["validate", option, "given.toml"], words);
}

fn assert_refused_in(home: &TestHome, arguments: &[&str], words: &[&str]) {
    let before = home.files();
    let output = home.run(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    for word in words {
        assert!(error.contains(word), "'{word}' is not in: {error}");
    }
    assert_eq!(home.files(), before, "something was written");
}

#[test]
fn an_unknown_flag_is_refused() {
    assert_refused(&["validate", "--colour"], &["--colour", "--color"]);
}

#[test]
fn an_unknown_suite_is_refused_with_the_known_ones() {
    assert_refused(
        &["validate", "--suite", "pipelin"],
        &["'pipelin'", "pipeline"],
    );
}

#[test]
fn an_unknown_defect_is_refused() {
    assert_refused(
        &["validate", "--defect", "Z-99"],
        &["'Z-99'", "cutover list --defects"],
    );
    assert_refused(
        &["validate", "--defect", "share-claim"],
        &["'share-claim'", "did you mean 'shared-claim'?"],
    );
}

#[test]
fn a_calibration_with_an_unknown_defect_or_suite_is_refused_with_the_nearest() {
    assert_refused(
        &["calibrate", "--defect", "C-01", "Z-99"],
        &["'Z-99'", "cutover list --defects"],
    );
    assert_refused(
        &["calibrate", "--defect", "C-01", "share-claim"],
        &["'share-claim'", "did you mean 'shared-claim'?"],
    );
    assert_refused(
        &["calibrate", "--suite", "pipelin"],
        &["'pipelin'", "pipeline"],
    );
}

#[test]
fn a_missing_target_is_refused() {
    assert_refused(
        &["validate", "--target", "nowhere.toml"],
        &[
            "error: failed to read target 'nowhere.toml'\n  caused by: ",
            "\nhelp: name a target file with --target",
        ],
    );
}

#[test]
fn a_smoke_test_without_a_target_is_refused_unless_it_is_local() {
    assert_refused(
        &["smoke"],
        &["error: failed to select a target", "\nhelp: ", "--local"],
    );
    assert_refused(
        &["smoke", "--local", "--target", "nowhere.toml"],
        &["--local", "--target"],
    );
    let local = run(&["smoke", "--local", "--dry-run"]);
    assert_eq!(local.code, Some(0), "{}", local.err);
    assert!(local.out.contains("profile smoke"), "{}", local.out);
}

#[test]
fn the_version_names_the_package_and_the_commit() {
    let version = run(&["--version"]).out;
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
    let help = run(&["--help"]).out;
    let about = "Go/no-go validation for document-processing pipelines\n";
    assert!(help.starts_with(about), "{help}");
    for text in ["Built-in services:\n  reference", "Exit codes"] {
        assert!(help.contains(text), "'{text}' is not in: {help}");
    }
}

#[test]
fn the_help_of_validate_is_grouped() {
    let help = run(&["validate", "--help"]).out;
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
    let run = run(&["validate", "--first", "search", "--dry-run"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_refused(
        &["calibrate", "--whole", "--defect", "Z-99"],
        &["failed to find seeded defect 'Z-99'"],
    );
}

#[test]
fn a_fault_proxy_whose_address_is_taken_is_refused_with_the_option() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = format!("failed to listen on {address}");
    assert_refused(&["proxy", "--listen", &address], &[&failed, "`--listen`"]);
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let call = run(&["completions", shell]);
        assert_eq!(call.code, Some(0), "{}", call.err);
        for name in ["validate", "standins"] {
            assert!(call.out.contains(name), "{shell} lacks {name}");
        }
    }
}

#[test]
fn a_malformed_target_is_refused_with_its_line() {
    assert_file_refused(
        "--target",
        "schema = 1\nname = \"x\"\nclass = \"locl\"\n",
        &["given.toml:3", "locl", "local"],
    );
}

#[test]
fn a_missing_secret_is_refused_with_its_variable() {
    let home = test_home();
    let target = r#"
        schema = 1
        name = "x"
        class = "production"
        api.url = "http://127.0.0.1:1"
        identity.mint = { secret = { env = "NO_SUCH_SECRET" }, issuer = "x" }
    "#;
    home.write("given.toml", target);
    assert_refused_in(
        &home,
        &["smoke", "--target", "given.toml"],
        &[
            "error: failed to read the secret for 'identity.mint.secret'\n",
            "\n  caused by: variable NO_SUCH_SECRET is not set\n",
            "\nhelp: set NO_SUCH_SECRET",
        ],
    );
}

#[test]
fn an_unknown_key_in_a_target_is_refused_with_its_line() {
    assert_file_refused(
        "--target",
        "schema = 1\nname = \"x\"\nclass = \"local\"\nretries = 3\n",
        &["given.toml:4", "retries"],
    );
}

#[test]
fn an_unknown_key_in_the_contract_of_a_target_is_refused() {
    assert_file_refused(
        "--target",
        "schema = 1\nname = \"x\"\nclass = \"local\"\n[contract.limits]\nmax_byte = 3\n",
        &["given.toml", "max_byte"],
    );
}

#[test]
fn a_missing_policy_is_refused() {
    assert_refused(
        &["validate", "--policy", "nowhere.toml"],
        &["nowhere.toml", "--policy"],
    );
}

#[test]
fn a_malformed_policy_is_refused_with_its_line() {
    assert_file_refused(
        "--policy",
        "schema = 1\nname = \"x\"\nbarr = \"high\"\n",
        &["given.toml:3", "barr"],
    );
}

#[test]
fn a_waiver_that_is_not_allowed_is_refused_with_its_key() {
    let head = "schema = 1\nname = \"x\"\nmax_age = \"2h\"\n[[suite]]\nid = \"pipeline\"\nrequired = true\n";
    let today = time::OffsetDateTime::now_utc().date();
    let (soon, late) = (
        today + time::Duration::days(89),
        today + time::Duration::days(92),
    );
    for (subject, expires, expected) in [
        (
            "check = \"pipeline::misspelt\"",
            soon,
            ["given.toml:8", "waiver.check", "cutover list"],
        ),
        (
            "rule = \"TEN-99\"",
            soon,
            ["given.toml:8", "waiver.rule", "no rule has this id"],
        ),
        (
            "rule = \"HDR-02\"",
            late,
            ["given.toml:12", "waiver.expires", "more than 90 days"],
        ),
        (
            "fingerprint = \"12\"",
            soon,
            ["given.toml:8", "waiver.fingerprint", "findings.sarif"],
        ),
    ] {
        let waiver = format!(
            "[[waiver]]\n{subject}\nowner = \"ada\"\nreason = \"known\"\nticket = \"T-1\"\nexpires = {expires}\n"
        );
        assert_file_refused("--policy", &format!("{head}{waiver}"), &expected);
    }
}

#[test]
fn a_missing_run_directory_is_refused() {
    assert_refused(&["judge", "nowhere"], &["nowhere"]);
}

#[test]
fn a_directory_that_is_not_a_run_is_refused_and_not_written_to() {
    assert_refused(
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
fn without_postgresql_the_remedy_is_named() {
    let home = test_home();
    let mut validate = home.command(["validate"]);
    let validate = validate.env("CUTOVER_POSTGRES_BIN", home.stacks());
    let output = validate.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("initdb"), "{error}");
}

#[test]
fn without_docker_nothing_runs_and_the_remedy_is_named() {
    let home = test_home();
    let mut validate = home.command(["validate", "--stack", "containers", "--output", "runs"]);
    let validate = validate.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let output = validate.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("reach Docker: install it"), "{error}");
    assert!(error.contains("--stack processes"), "{error}");
    assert_eq!(home.files(), [""; 0], "something was written");
}

#[test]
fn a_filter_that_matches_nothing_is_inconclusive() {
    let output = test_home().run(["validate", "--check", "no_such_check"]);
    let text = output_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    let verdict = stdout(output);
    assert!(verdict.contains("INCONCLUSIVE"), "{text}");
    let reason = "reason    │ no check matches 'no_such_check'";
    assert!(verdict.contains(reason), "{text}");
}

#[test]
fn listing_writes_nothing() {
    let home = test_home();
    let output = home.run(["list"]);
    assert_eq!(output.status.code(), Some(0));
    let list = stdout(output);
    assert!(list.contains("pipeline"), "{list}");
    assert_eq!(home.files(), [""; 0], "something was written");
}

#[test]
fn a_list_contains_the_selected_checks_by_topic() {
    let call = run(&["list", "--suite", "smoke"]);
    assert_eq!(call.code, Some(0), "{}", call.err);
    assert!(call.out.contains("\n  document flow\n"), "{}", call.out);
    assert!(!call.out.contains("pipeline:"), "{}", call.out);
    assert_refused(
        &["list", "--check", "no_such_check"],
        &["failed to select checks", "'no_such_check'", "\nhelp: "],
    );
}

#[test]
fn seeded_defects_are_listed_within_80_columns() {
    let call = run(&["list", "--defects"]);
    assert_eq!(call.code, Some(0), "{}", call.err);
    assert!(call.out.contains("shared-claim"), "{}", call.out);
    for line in call.out.lines().filter(|line| !line.starts_with(' ')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn init_overwrites_a_target_file_only_with_force() {
    let home = test_home();
    let url = "http://127.0.0.1:8000";
    let init = home.run(["init", "--api", url, "--identity", "login", "--standins"]);
    assert_eq!(init.status.code(), Some(0), "{}", output_text(&init));
    let first = home.read("cutover.toml");
    assert!(first.contains("\n[standins.keys]") && first.contains("\n[identity.login]"));

    let other = ["init", "--api", "https://api.example.org"];
    let refused = home.run(other);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        error.contains("cutover.toml") && error.contains("--force"),
        "{error}"
    );
    assert_eq!(home.read("cutover.toml"), first);

    let forced = home.run([&other[..], &["--force"]].concat());
    assert_eq!(forced.status.code(), Some(0), "{}", output_text(&forced));
    let second = home.read("cutover.toml");
    assert!(second.contains("https://api.example.org") && second.contains("\n# [standins.keys]"));
}

#[test]
fn init_without_a_complete_address_is_refused() {
    assert_refused(&["init"], &["--api", "\nhelp: "]);
    assert_refused(&["init", "--api", "example"], &["https://api.example.org"]);
}

#[test]
fn init_proposes_a_contract_from_an_openapi_document() {
    let home = test_home();
    let document = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../harness/cli/src/init/openapi/samples/fastapi.json");
    let document = document.to_str().unwrap();
    let url = "http://127.0.0.1:8000";
    let init = home.run(["init", "--api", url, "--from-openapi", document]);
    assert_eq!(init.status.code(), Some(0), "{}", output_text(&init));
    let target = home.read("cutover.toml");
    for line in [
        "upload = { method = \"POST\", path = \"/v1/files\" }  # guess: confirm",
        "status = \"/stage\"  # guess: confirm",
        "declared = true  # guess: confirm",
    ] {
        assert!(target.contains(line), "{line}: {target}");
    }
    let again = home.run(["init", "--api", url, "--from-openapi", document]);
    assert_eq!(again.status.code(), Some(2), "{}", output_text(&again));
    assert_eq!(home.read("cutover.toml"), target);
}

#[test]
fn init_writes_nothing_if_the_contract_cannot_be_found_out() {
    let home = test_home();
    home.write("empty.json", "{}");
    home.write("openapi.yaml", "openapi: 3.1.0\n");
    let url = ["init", "--api", "http://127.0.0.1:1"];
    let refused_options: [(&[&str], &str); 5] = [
        (&["--from-openapi", "missing.json"], "missing.json"),
        (&["--from-openapi", "empty.json"], "no OpenAPI document"),
        (&["--from-openapi", "openapi.yaml"], "convert YAML to JSON"),
        (&["--set", "nonsense"], "KEY=VALUE"),
        (&["--learn"], "failed to"),
    ];
    for (options, problem) in refused_options {
        let refused = home.run([&url[..], options].concat());
        let text = output_text(&refused);
        assert_eq!(refused.status.code(), Some(2), "{options:?}: {text}");
        assert!(text.contains(problem), "{options:?}: {text}");
        assert!(!home.path("cutover.toml").exists(), "{options:?}");
    }
}

#[test]
fn every_schema_is_json_and_refuses_unknown_keys() {
    for document in ["target", "contract", "policy"] {
        let output = test_home().run(["schema", document]);
        let schema: Value = serde_json::from_str(&stdout(output)).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{document}");
    }
}
