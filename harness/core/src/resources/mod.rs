//! Resources: what the processes of a local stack use while a load runs, on the time base of the load.

mod loads;
mod sampler;
mod summary;
mod timeline;

pub(crate) use loads::{LoadNumber, Loads};
pub(crate) use sampler::Sampler;
pub(crate) use summary::summary;
pub(crate) use timeline::Watched;
