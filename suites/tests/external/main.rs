//! Tests that need a program beyond Rust and PostgreSQL: Docker with cutover's images, Python,
//! the published clients of the real services, or OpenSSL.
//!
//! Where one is missing, its tests are reported as ignored, and the reason is on standard error.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(
    clippy::print_stderr,
    reason = "libtest has no place for the reason of an ignored test"
)]

mod clients;
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

/// All tests: a name and a requirement for each group, and the longest tests first.
const GROUPS: [(&str, Requirement, &[&Tests]); 5] = [
    ("fastapi", Requirement::FastApi, &[foreign::fastapi::TESTS]),
    (
        "foreign",
        Requirement::Python,
        &[
            foreign::accounts::TESTS,
            foreign::TESTS,
            foreign::standins::TESTS,
        ],
    ),
    ("containers", Requirement::Images, &[containers::TESTS]),
    ("clients", Requirement::Clients, &[clients::TESTS]),
    ("tls", Requirement::PythonAndOpenssl, &[tls::TESTS]),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = GROUPS.iter().flat_map(|(group, requirement, tests)| {
        let missing = requirement.missing();
        if let Some(missing) = &missing {
            eprintln!("the tests of {group} are ignored: {missing}");
        }
        let tests = tests.iter().copied().flatten();
        tests.map(move |(name, test)| trial(name, *test, missing.clone()))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A trial that is ignored where its requirement is missing, and fails if it is run all the same.
fn trial(name: &str, test: fn(), missing: Option<String>) -> Trial {
    let name = name.trim_start_matches("external::");
    let is_ignored = missing.is_some();
    let trial = Trial::test(name, move || {
        if let Some(missing) = missing {
            return Err(missing.into());
        }
        test();
        Ok(())
    });
    trial.with_ignored_flag(is_ignored)
}

/// Directories for one test of the program that was built with it.
fn test_home() -> TestHome {
    TestHome::new(env!("CARGO_BIN_EXE_cutover"))
}
