//! How cutover tests: the check model, the stack, the probes, the journal and the front ends.

pub mod contract;
pub mod identity;
pub mod invariant;
pub mod journal;
pub mod probe;
pub mod redact;
pub mod secret;
pub mod stack;
pub mod standin;
pub mod stop;

pub use cutover_reports::record;
