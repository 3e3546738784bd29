//! The levels of a check: severity, criticality and effect.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a failure of the check is, from least to most.
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
    /// Worth fixing soon.
    Medium,
    /// Users are affected.
    High,
    /// Documents are lost, duplicated or shown to the wrong tenant.
    Critical,
}

/// Whether a GO requires the result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// There is no GO without a result.
    Required,
    /// A missing result is a listed risk.
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
    /// Breaks a dependency or a process, and restores it.
    Fault,
    /// May leave lasting changes that affect other users.
    Destructive,
}

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name in files and on the terminal.
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
