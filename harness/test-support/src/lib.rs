//! What tests that start programs and servers share: directories, processes, ports and waiting.
//!
//! Everything here is isolated per test and released when it is dropped, so tests can run in
//! parallel, in one process or in many. A set-up step that fails panics and fails the test.
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test that cannot be set up must fail"
)]

mod home;
mod ports;
mod postgres;
mod process;
mod wait;

pub use home::TestHome;
pub use ports::ReservedPort;
pub use postgres::TestPostgres;
pub use process::{Signal, TestProcess, output_text};
pub use wait::wait_for;
