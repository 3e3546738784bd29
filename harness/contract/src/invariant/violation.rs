//! A violation of an invariant.

use serde::Deserialize;

/// A violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The row or object.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
}

impl Violation {
    pub(super) fn new(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
        }
    }
}
