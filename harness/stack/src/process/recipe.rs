//! How a process is started, as data, so that it can be started again.

use std::collections::BTreeMap;
use std::ffi::OsString;

use rustix::process::Signal;

use super::body::Body;
use crate::readiness::Readiness;

/// Everything needed to start a process, and to start it again.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) readiness: Readiness,
    /// What asks it to end in good order.
    pub(crate) graceful: Signal,
    /// What it runs as.
    pub(crate) body: Body,
}
