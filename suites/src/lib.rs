//! The binary of cutover: the suites, the reference pipeline and the stand-ins in one catalog.

mod catalog;

pub use catalog::catalog;
