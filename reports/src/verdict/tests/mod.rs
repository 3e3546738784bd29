//! The three laws: a table of single cases, what other gates let through, and properties of arbitrary runs.

mod cases;
mod fail_open;
mod laws;
mod profiles;
mod sample;
