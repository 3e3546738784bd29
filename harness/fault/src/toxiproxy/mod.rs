//! An HTTP API that clients of Toxiproxy can use, for tests in any language.
//!
//! Routes, JSON and statuses are those of Toxiproxy 2; its toxics are faults of this crate.

mod api;
mod collection;
mod refusal;
mod toxic;

pub use api::serve;
