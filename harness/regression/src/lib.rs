//! Whether a pipeline became slower: measurements of runs, compared with those of a baseline.
//!
//! The unit is a run. Requests of one run depend on each other, so a comparison of single requests
//! reports differences between equal pipelines; see `docs/guide/baselines.md`.

mod measurements;
mod measurements_file;

pub use measurements::{Better, FORMAT, Machine, Measurement, Measurements};
pub use measurements_file::{MEASUREMENTS_FILE, MeasurementsError};
