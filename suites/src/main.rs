//! The `cutover` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutover_cli::main(&cutover::catalog(), env!("CUTOVER_VERSION"))
}
