//! Resources: what a system uses and does while a load runs, on the time base of the load.

mod clock;
mod database;
mod loads;
mod metrics;
mod prometheus;
mod sampler;
mod series;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use loads::{LoadNumber, Loads};
pub use metrics::Metrics;
pub use sampler::{Sampler, Sources};
pub use series::{Kind, NotSampled, Series};
pub(crate) use summary::summary;
pub use timeline::{ProcessSeries, Sample, Timeline, WaitEvent, Watched};
