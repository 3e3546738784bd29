//! The suites: what cutover tests.

mod catalog;
mod pipeline;
mod smoke;
mod support;

pub use catalog::catalog;
