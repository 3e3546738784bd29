//! The `[safety]` table of a target file: what protects a target from a run.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// What protects a target from us.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SafetySettings {
    /// The hosts that are known to be of the class that the target claims; this
    /// machine itself is. Any other host counts as production.
    pub hosts: Vec<String>,
    /// The most requests that a run may send.
    pub requests: u64,
    /// The most requests in a second, evenly spread; where it is not said, 20 on production, 100
    /// on staging, and any number on what is local.
    pub requests_per_second: Option<f64>,
    /// The most bytes that a run may send in bodies.
    pub bytes: u64,
    /// The most that its documents may cost at the providers, in cents, as the target itself says.
    pub spend_cents: f64,
    /// The most documents that a run may upload.
    pub documents: u64,
    /// After so many failures of the target in a row a run ends.
    pub failures_in_a_row: u64,
    /// A file whose appearance ends every run.
    pub kill_switch: Option<PathBuf>,
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
        }
    }
}
