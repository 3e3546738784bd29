//! The pages of the suites match their tables. `just pages` rewrites them.

use std::fs;
use std::path::Path;
use std::process::Command;

use cutover_harness::suite::Suite;

/// Set by `just pages`: write the pages instead of comparing them.
const UPDATE: &str = "CUTOVER_UPDATE_PAGES";

#[test]
fn every_suite_has_its_page() {
    for suite in cutover::catalog().suites.iter().map(Suite::name) {
        let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["list", "--format", "markdown", "--suite", suite])
            .output()
            .unwrap();
        assert!(output.status.success(), "cannot list suite '{suite}'");
        let expected = String::from_utf8(output.stdout).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/suites/{suite}.md"));
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&path, &expected).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "docs/suites/{suite}.md does not match the tables; rewrite it with `just pages`"
        );
    }
}
