//! The suites: what cutover tests.

mod catalog;
mod pipeline;
mod reading;
mod smoke;

pub use catalog::catalog;
