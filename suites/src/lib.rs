//! The suites: what cutover tests.

mod catalog;
mod pipeline;

pub use catalog::catalog;
