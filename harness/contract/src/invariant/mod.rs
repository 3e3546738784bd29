//! Invariants: statements that hold for all rows and objects of a correct pipeline, even after a fault.
//!
//! An invariant over rows is a query for violations; one query sees a consistent snapshot.
//! An invariant over rows and objects repeats its reads to confirm a violation, because
//! rows and objects cannot be read in one snapshot.

mod catalogue;
mod check;
mod facts;
mod ids;
mod objects;
mod orphans;
mod scope;
mod surfaces;
#[cfg(test)]
mod tests;
mod violation;

pub use catalogue::{ALL, Invariant, named};
pub use check::check;
pub use scope::Scope;
pub use surfaces::Surfaces;
pub use violation::Violation;
