//! How cutover tests: the check model, the stack, the probes, the journal and the front ends.

pub mod journal;
pub mod redact;
pub mod secret;
pub mod stack;
pub mod standin;
pub mod stop;

pub use cutover_reports::record;
