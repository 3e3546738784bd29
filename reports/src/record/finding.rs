//! A finding: what a failed check reports about the system under test.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::readable::readable_pair;

/// One way in which the system under test is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, in one sentence.
    pub summary: String,
    /// The expected value or behaviour, if it is separate from the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The actual value or behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The index of the observation that deviates, among those of the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<usize>,
    /// The indices of the observations of what the system itself reports about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
}

impl Finding {
    /// A finding without a comparison.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            expected: None,
            actual: None,
            observation: None,
            context: Vec::new(),
        }
    }

    /// Adds a comparison of two values, as a person writes them.
    #[must_use]
    pub fn comparing_values(
        self,
        expected: &(impl Debug + ?Sized),
        actual: &(impl Debug + ?Sized),
    ) -> Self {
        let (expected, actual) = readable_pair(expected, actual);
        self.comparing(expected, actual)
    }

    /// Adds a comparison of two texts.
    #[must_use]
    pub fn comparing(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }
}
