//! The contract of a pipeline and everything that speaks it: client, probes, accounts, stand-ins, invariants.

pub mod accounts;
pub mod contract;
pub mod identity;
pub mod invariant;
pub mod jwt;
pub mod probe;
pub mod standin;
