//! Runs checks against a pipeline and records observations: check model, plan, engine and two front ends.

pub mod capability;
pub mod catalog;
pub mod check;
mod cleanup;
pub mod condition;
pub mod connection;
pub mod context;
mod contract_admission;
mod control;
pub mod control_action;
mod diagnosis;
pub mod environment;
pub mod execute;
pub mod identification;
pub mod inputs;
pub mod interlock;
mod leak_scan;
mod link_admission;
pub mod load;
pub mod plan;
pub mod prelude;
pub mod reference;
pub mod resources;
pub mod run_directory;
pub mod runner;
pub mod safety;
pub mod seeded_defect;
pub mod suite;
pub mod sut_clients;
pub mod target_file;

pub use cutover_contract::{accounts, contract, identity, invariant, jwt, probe, standin};
pub use cutover_evidence::{ensure, ensure_eq, journal, redact, secret, stop};
pub use cutover_fault as fault;
pub use cutover_load as load_generator;
pub use cutover_reports::{policy, record};
pub use cutover_stack as stack;
