//! What a run says about its measurements: whether the load generator is right, and how they compare with a baseline.

use serde::{Deserialize, Serialize};

/// A measurement of a server whose behaviour is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownMeasurement {
    /// What was measured, with its unit.
    pub what: String,
    /// The known value.
    pub expected: f64,
    /// The measured value, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Whether the two are as near to each other as they must be.
    pub holds: bool,
}

/// The result of a comparison with a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonResult {
    /// Nothing became worse.
    Passed,
    /// Something became worse.
    Failed,
    /// It cannot be told.
    Inconclusive,
}
