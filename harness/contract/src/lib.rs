//! The contract of a pipeline, with the client, probes, accounts, stand-in protocol and invariants that use it.

pub mod accounts;
pub mod contract;
pub mod identity;
pub mod invariant;
pub mod jwt;
mod layout;
pub mod probe;
pub mod standin;
