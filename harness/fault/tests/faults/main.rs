//! Each fault against a byte-level echo.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared test code may panic like a test"
)]

mod bandwidth;
mod blackhole;
mod configuration;
mod conservation;
mod cut_after_bytes;
mod first_requests;
mod flap;
mod half_open;
mod latency;
mod lost_reply;
mod open_connections;
mod refuse;
mod reset;
mod slicer;
mod slow_close;
mod support;
mod triggers;
