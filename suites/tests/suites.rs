//! Every check as a test: `cargo test --test suites -- pipeline::every`, or under cargo-nextest.

use std::path::Path;
use std::process::ExitCode;

use cutover_harness::runner::{LibtestSettings, libtest};

fn main() -> ExitCode {
    let program = Path::new(env!("CARGO_BIN_EXE_cutover"));
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("cutover");
    libtest(
        cutover::catalog(),
        LibtestSettings {
            program: program.to_owned(),
            output,
        },
    )
}
