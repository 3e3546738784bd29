//! The `cutover` program as its users call it: commands, whole runs, and what they leave behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod architecture;
mod attached;
mod calibrate;
mod causes;
mod cli;
mod doctor;
mod endpoints;
mod guide;
mod hostile;
mod lifecycle;
mod manifests;
mod pages;
mod reads;
mod registry;
mod regression;
mod residue;
mod rules;
mod safety;
mod torment;

use cutover_test_support::TestHome;

/// Directories for one test of the program that was built with it.
fn test_home() -> TestHome {
    TestHome::new(env!("CARGO_BIN_EXE_cutover"))
}
