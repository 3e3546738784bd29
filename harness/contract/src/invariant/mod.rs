//! Statements that hold over all rows and objects of a sound pipeline, at any moment and after any fault.
//!
//! A statement over rows is a query for the rows that violate it; one query sees
//! one moment. A statement over rows and objects looks again at what it found,
//! because the two cannot be read at one moment.

mod catalogue;
mod check;
mod facts;
mod ids;
mod objects;
mod scope;
#[cfg(test)]
mod tests;

pub use catalogue::{ALL, Invariant, named};
pub use check::{Surfaces, Violation, check};
pub use scope::Scope;
