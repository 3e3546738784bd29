//! Tests that need a program beyond Rust and PostgreSQL: Docker with cutover's images, Python or OpenSSL.
//!
//! Where one is missing, its tests are reported as ignored, and the reason is on standard error.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(
    clippy::print_stderr,
    reason = "libtest has no place for the reason of an ignored test"
)]

mod containers;
mod foreign;
mod requirement;
mod tls;

use std::process::ExitCode;

use cutover_test_support::TestHome;
use libtest_mimic::{Arguments, Trial};
use requirement::Requirement;

/// Tests with the name of their module, as libtest would list them.
type Tests = [(&'static str, fn())];

/// Lists test functions of the current module with their names.
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+]
    };
}
use tests;

/// All tests by what they require, the longest first.
const GROUPS: [(Requirement, &Tests); 5] = [
    (Requirement::Python, foreign::TESTS),
    (Requirement::Python, foreign::accounts::TESTS),
    (Requirement::Python, foreign::standins::TESTS),
    (Requirement::Images, containers::TESTS),
    (Requirement::PythonAndOpenssl, tls::TESTS),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = GROUPS.iter().flat_map(|(requirement, tests)| {
        let missing = requirement.missing();
        if let Some(missing) = &missing {
            eprintln!("ignored: {} tests: {missing}", tests.len());
        }
        tests.iter().map(move |(name, test)| {
            let ignored = missing.is_some();
            trial(name, *test, missing.clone()).with_ignored_flag(ignored)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A trial that fails, if it is run all the same, where its requirement is missing.
fn trial(name: &str, test: fn(), missing: Option<String>) -> Trial {
    let name = name.trim_start_matches("external::");
    Trial::test(name, move || {
        if let Some(missing) = missing {
            return Err(missing.into());
        }
        test();
        Ok(())
    })
}

/// Directories for one test of the program that was built with it.
fn test_home() -> TestHome {
    TestHome::new(env!("CARGO_BIN_EXE_cutover"))
}
