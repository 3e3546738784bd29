//! How observations are written down: secrets, redaction, journals, and why a check stops.
//!
//! Everything that observes the system under test stands on this crate.

pub mod interrupt;
pub mod journal;
pub mod redact;
pub mod secret;
pub mod stop;

pub use cutover_reports::record;
