//! The `[safety]` table of a target file: what protects a target from a run.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// What protects a target from a run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SafetySettings {
    /// The hosts that belong to the class of the target. This machine always does.
    /// Any other host counts as production.
    pub hosts: Vec<String>,
    /// The most requests that a run may send.
    pub requests: u64,
    /// The most requests per second, evenly spread. Default: 20 in production, 100
    /// in staging, unlimited for a local target.
    pub requests_per_second: Option<f64>,
    /// The most bytes that a run may send in request bodies.
    pub bytes: u64,
    /// The most that its documents may cost at the providers, in cents, as reported by the target.
    pub spend_cents: f64,
    /// The most documents that a run may upload.
    pub documents: u64,
    /// The number of failures in a row after which a run stops.
    pub failures_in_a_row: u64,
    /// A file that stops every run as soon as it exists.
    pub kill_switch: Option<PathBuf>,
    /// Whether the target is thrown away after the run. Documents then may stay on a local target that
    /// has no route to delete them.
    pub disposable: bool,
}

impl Default for SafetySettings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            requests: 20_000,
            requests_per_second: None,
            bytes: 2 * 1024 * 1024 * 1024,
            spend_cents: 1_000.0,
            documents: 1_000,
            failures_in_a_row: 50,
            kill_switch: None,
            disposable: false,
        }
    }
}
