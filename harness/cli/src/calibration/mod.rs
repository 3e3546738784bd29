//! Calibration: how many of the seeded defects a validation notices, and how often it cries wolf.
//!
//! Every defect gets a whole validation of its own, in a process of its own, so
//! that what is measured is what a user would have seen.

mod child;
mod reading;
mod result;
mod statistics;
mod subject;
mod table;

pub(crate) use child::ValidationRunner;
pub(crate) use result::{Calibration, Settings};
pub(crate) use subject::{Subject, choose};
pub(crate) use table::{line, text};
