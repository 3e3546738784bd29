//! Resources: what a system uses and does while a load runs, on the time base of the load.

mod clock;
mod containers;
mod database;
mod followed;
mod loads;
mod metrics;
mod prometheus;
mod readings;
mod sampler;
mod series;
mod settings;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

pub use containers::Containers;
pub(crate) use loads::{LoadNumber, Loads};
pub use metrics::Metrics;
pub use sampler::{Sampler, Sources};
pub use series::{Kind, NotSampled, Series};
pub use settings::{PidFileError, ResourceSettings, ResourceSource};
pub(crate) use summary::{Work, summary};
pub use timeline::{ProcessSeries, Sample, Timeline, WaitEvent, Watched};
