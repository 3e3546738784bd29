//! Each fault against a byte-level echo.

mod bandwidth;
mod blackhole;
mod latency;
mod refuse;
mod reset;
mod support;
mod triggers;
