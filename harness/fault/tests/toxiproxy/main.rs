//! The Toxiproxy API: its routes, JSON and statuses, and what its toxics do.
#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod client;
mod routes;
mod support;
mod toxics;
