//! Calibration: the share of seeded defects that a validation detects, and its false-alarm rate.
//!
//! Every subject gets a complete validation in its own process, so the result
//! is what a user would have seen.

mod outcome;
mod result;
mod statistics;
mod subject;
mod table;
mod validation_runner;

pub(crate) use result::{Calibration, Rerun, Settings};
pub(crate) use subject::{Subject, choose};
pub(crate) use table::{line, text};
pub(crate) use validation_runner::ValidationRunner;
