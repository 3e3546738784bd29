//! The `cutover` binary: the suites, the programs it also carries, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutover_cli::main(&cutover::catalog())
}
