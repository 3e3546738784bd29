//! Tests of the public interface: against reference values, as properties, and of stored files.

mod baselines;
mod comparisons;
mod properties;
mod reference;
mod runs;
