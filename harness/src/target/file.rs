//! The target file, as it is written.

use std::collections::BTreeMap;
use std::fmt;

use cutover_reports::record::{Effect, TargetSummary};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::capability::{Capability, Grants};

/// Where the system under test is, and what we may do to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What errors call it: the file's name.
    #[serde(skip)]
    pub(super) origin: String,
    /// The version of the file's format: 1.
    pub schema: u32,
    /// The name by which reports speak of it.
    pub name: String,
    /// How much would be hurt by a mistake.
    pub class: Class,
    /// How its stack comes to be.
    #[serde(default)]
    pub stack: StackSettings,
    /// Where it differs from the default contract: any key of the contract.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub contract: toml::Table,
}

/// How much would be hurt by a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing but this run uses it.
    Local,
    /// Colleagues use it.
    Staging,
    /// Customers use it.
    Production,
}

/// How a stack comes to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackSettings {
    /// What kind of stack it is.
    pub kind: StackKind,
    /// How many workers share the queue.
    pub workers: usize,
    /// How many stacks of their own exclusive checks may have at a time.
    pub lanes: usize,
    /// Environment variables of the pipeline's processes that the contract does not set.
    pub environment: BTreeMap<String, String>,
}

impl Default for StackSettings {
    fn default() -> Self {
        Self {
            kind: StackKind::Processes,
            workers: 1,
            lanes: 2,
            environment: BTreeMap::new(),
        }
    }
}

/// What kind of stack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// Plain processes with a real PostgreSQL.
    Processes,
}

impl Target {
    /// What the target gives. A stack of our own gives everything.
    pub fn grants(&self) -> Grants {
        match self.stack.kind {
            StackKind::Processes => Capability::ALL.into_iter().collect(),
        }
    }

    /// The most that a check may do to it.
    pub fn most_effect(&self) -> Effect {
        match self.class {
            Class::Local => Effect::Destructive,
            Class::Staging => Effect::Fault,
            Class::Production => Effect::WriteTenant,
        }
    }

    /// The target as it stands in a plan.
    pub fn summary(&self, defect: Option<String>) -> TargetSummary {
        TargetSummary {
            name: self.name.clone(),
            class: self.class.to_string(),
            stack: self.stack.kind.to_string(),
            defect,
        }
    }
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

impl fmt::Display for StackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processes => "processes",
        })
    }
}
