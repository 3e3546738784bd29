//! The pages about the suites are what `cutover list --format markdown` writes: `just pages` renews them.

use std::fs;
use std::path::Path;
use std::process::Command;

use cutover_harness::suite::Suite;

#[test]
fn every_suite_has_its_page() {
    for suite in cutover::catalog().suites.iter().map(Suite::name) {
        let written = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["list", "--format", "markdown", "--suite", suite])
            .output()
            .unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/suites/{suite}.md"));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == String::from_utf8(written.stdout).unwrap(),
            "docs/suites/{suite}.md is not what the tables say; renew it with `just pages`"
        );
    }
}
