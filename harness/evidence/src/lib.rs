//! The evidence of a run: journals, redaction of secrets, and the results of checks.
//!
//! Every crate that observes the system under test depends on this crate.

pub mod interrupt;
pub mod journal;
pub mod redact;
pub mod secret;
pub mod stop;

pub use cutover_reports::record;
