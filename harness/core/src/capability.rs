//! What a check needs, and what a target gives.

use std::collections::BTreeSet;
use std::fmt;

/// A door of the system under test that a check may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The API answers, and identities can be had for it.
    Http,
    /// The database can be read.
    Database,
    /// Stored objects can be read.
    Storage,
    /// Parser, embedder, storage and identity are stand-ins that can be programmed.
    Standins,
    /// API, workers and database can be stopped, paused, started and scaled.
    Processes,
    /// What API and workers write can be read.
    Logs,
    /// Tokens can be signed as the identity provider does: any number of tenants, and forgeries.
    Minting,
    /// The workers can be stopped and started.
    WorkerStop,
    /// The workers can be paused and resumed.
    WorkerPause,
    /// There can be more workers, and fewer.
    WorkerScale,
    /// The API can be stopped and started.
    ApiStop,
    /// Connections between the system and what it needs pass through us.
    Links,
}

/// What a target gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<Capability>);

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 12] = [
        Self::Http,
        Self::Database,
        Self::Storage,
        Self::Standins,
        Self::Processes,
        Self::Logs,
        Self::Minting,
        Self::WorkerStop,
        Self::WorkerPause,
        Self::WorkerScale,
        Self::ApiStop,
        Self::Links,
    ];

    /// The name used in files and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Database => "database",
            Self::Storage => "storage",
            Self::Standins => "standins",
            Self::Processes => "processes",
            Self::Logs => "logs",
            Self::Minting => "minting",
            Self::WorkerStop => "worker-stop",
            Self::WorkerPause => "worker-pause",
            Self::WorkerScale => "worker-scale",
            Self::ApiStop => "api-stop",
            Self::Links => "links",
        }
    }

    /// What gives it on a target that somebody else runs: a part of the target file, if any does.
    pub fn given_by(self) -> Option<&'static str> {
        Some(match self {
            Self::Http => "[api]",
            Self::Database => "[database]",
            Self::Storage => "[storage]",
            Self::Standins => "[standins]",
            Self::Minting => "[identity.mint]",
            Self::WorkerStop => "stop and start in [control.worker]",
            Self::WorkerPause => "pause and resume in [control.worker]",
            Self::WorkerScale => "scale in [control.worker]",
            Self::ApiStop => "stop and start in [control.api]",
            Self::Links => "[links]",
            Self::Processes | Self::Logs => return None,
        })
    }

    /// Whether it changes what runs, so that whoever uses it must be alone.
    pub(crate) fn is_control(self) -> bool {
        matches!(
            self,
            Self::WorkerStop | Self::WorkerPause | Self::WorkerScale | Self::ApiStop
        )
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Grants {
    /// Whether the capability is given.
    pub fn include(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The first of these capabilities that is not given.
    pub fn first_missing(&self, needs: &[Capability]) -> Option<Capability> {
        needs.iter().copied().find(|need| !self.include(*need))
    }
}

impl FromIterator<Capability> for Grants {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}
