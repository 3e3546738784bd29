//! What one source outside of `/proc` was like during a load.

use std::collections::BTreeMap;

use super::series::{NotSampled, Series};
use super::timeline::ProcessSeries;

/// What one source was like during a load.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Containers, which count as processes.
    pub(super) processes: Vec<ProcessSeries>,
    pub(super) series: Vec<Series>,
    /// The sum of the sessions that waited for an event, over all samples.
    pub(super) waits: BTreeMap<String, u64>,
    pub(super) not_sampled: Vec<NotSampled>,
    /// Whether a process is missing.
    pub(super) lacks_processes: bool,
}
