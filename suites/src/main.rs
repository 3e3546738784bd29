//! The `cutover` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutover_harness::main(&cutover::catalog())
}
