//! The class of an environment: local, staging or production.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// The class of an environment, which limits the effects of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Used by this run only.
    Local,
    /// Used by the team.
    Staging,
    /// Used by customers.
    Production,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Production => "production",
        })
    }
}
