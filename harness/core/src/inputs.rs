//! What a run gives its checks beside the system under test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// The name of the value that is the length of a soak, in seconds.
pub const SOAK_SECONDS: &str = "soak_seconds";

/// The inputs of the checks of a run.
#[derive(Clone, Debug, Default)]
pub struct CheckInputs {
    /// The user's own PDF files; none where the target file names no folder.
    pub corpus: Vec<PathBuf>,
    /// Values by name, for a check that a command runs with other values than usual.
    pub parameters: BTreeMap<&'static str, Value>,
}
