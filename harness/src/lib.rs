//! How cutover tests: the check model, the stack, the probes, the journal and the front ends.

mod accounts;
mod calibrate;
pub mod capability;
pub mod catalog;
pub mod check;
mod cleanup;
mod cli;
pub mod context;
pub mod contract;
pub mod control;
mod doors;
mod execute;
pub mod fault;
pub mod identity;
pub mod invariant;
pub mod journal;
pub mod jwt;
mod lane;
mod leaks;
mod plan;
pub mod prelude;
pub mod probe;
pub mod redact;
mod run_directory;
pub mod runner;
mod safety;
pub mod secret;
pub mod stack;
pub mod standin;
pub mod stop;
pub mod suite;
pub mod target;

pub use cli::main;
pub use cutover_reports::record;
