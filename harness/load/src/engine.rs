//! Runs a load, at the times of a schedule or back to back.

use std::time::Duration;

use crate::run::Run;
use crate::source::Source;
use crate::{Load, LoadError, Pacer, Report, Stop};

impl Load {
    /// Sends each request when it is due, whether or not earlier ones were answered.
    pub fn open(&self, pacer: &dyn Pacer, stop: &Stop) -> Result<Report, LoadError> {
        Run::new(self, Source::paced(pacer))?.execute(stop)
    }

    /// Sends the next request on each connection as soon as the last was answered. A stall of the server
    /// hardly shows in the response times then: use it for comparison only.
    pub fn closed(&self, duration: Duration, stop: &Stop) -> Result<Report, LoadError> {
        if duration.is_zero() {
            return Err(LoadError::NoDuration);
        }
        Run::new(self, Source::BackToBack(duration))?.execute(stop)
    }
}
