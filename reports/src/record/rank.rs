//! The ordered scales a check is placed on: severity, criticality, effect.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is when the check fails, from least to most.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth mending soon.
    Medium,
    /// Users are hurt.
    High,
    /// Documents are lost, doubled or shown to the wrong tenant.
    Critical,
}

/// How much the decision needs the check's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Without an answer there is no GO.
    Required,
    /// A missing answer is a listed risk.
    Advisory,
}

/// What a check does to the system under test, from least to most.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Writes within a tenant of its own.
    WriteTenant,
    /// Sends more traffic than a user would.
    Load,
    /// Breaks a dependency or a process, and heals it.
    Fault,
    /// May leave the system changed for others.
    Destructive,
}

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name used in files and on the terminal.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named!(Severity { Low = "low", Medium = "medium", High = "high", Critical = "critical" });
named!(Criticality { Required = "required", Advisory = "advisory" });
named!(Effect {
    Read = "read",
    WriteTenant = "write_tenant",
    Load = "load",
    Fault = "fault",
    Destructive = "destructive",
});
