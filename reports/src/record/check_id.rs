//! The id of a check: `suite::statement`, or `suite::statement::case` for one case of a table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The unique id of a check within a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckId(String);

/// A text that is not a check id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a check id: expected suite::statement or suite::statement::case")]
pub struct InvalidCheckId(String);

impl CheckId {
    /// The suite of the check.
    pub fn suite(&self) -> &str {
        self.0.split("::").next().unwrap_or_default()
    }

    /// The statement and, for a table, the case: everything after the suite.
    pub fn name(&self) -> &str {
        self.0.split_once("::").map_or("", |(_, name)| name)
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A unique file name for the check: `::` becomes `--`.
    pub fn file_stem(&self) -> String {
        self.0.replace("::", "--")
    }
}

impl FromStr for CheckId {
    type Err = InvalidCheckId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let parts = text.split("::").count();
        if (2..=3).contains(&parts) && text.split("::").all(is_word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCheckId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for CheckId {
    type Error = InvalidCheckId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CheckId> for String {
    fn from(id: CheckId) -> Self {
        id.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
