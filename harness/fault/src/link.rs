//! A link: the path from a system to one of its dependencies, through our proxy.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;

/// The dependency at the end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkName {
    /// PostgreSQL.
    Database,
    /// Supabase Storage.
    Storage,
    /// Supabase Auth, if it has another address than the storage.
    Identity,
    /// LlamaParse.
    Parser,
    /// OpenAI.
    Embedder,
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Database => "database",
            Self::Storage => "storage",
            Self::Identity => "identity",
            Self::Parser => "parser",
            Self::Embedder => "embedder",
        })
    }
}

/// A proxy in front of a dependency. The target is configured with the address of the proxy
/// instead of the address of the dependency.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// The listen address of the proxy: an address of this machine with a port.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// The address of the dependency: `host:port`.
    pub upstream: String,
}

impl LinkSettings {
    /// The host of the dependency.
    pub fn upstream_host(&self) -> Option<&str> {
        let (host, port) = self.upstream.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']);
        (!host.is_empty() && port.parse::<u16>().is_ok()).then_some(host)
    }
}

/// The traffic of a link so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections opened by the system.
    pub connections: u64,
    /// Connections for which the dependency could not be reached.
    pub refused: u64,
    /// Bytes sent by the system.
    pub sent: u64,
    /// Bytes received by the system.
    pub received: u64,
}

/// The counters of a link; they can be read without locking.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            connections: count(&self.connections),
            refused: count(&self.refused),
            sent: count(&self.sent),
            received: count(&self.received),
        }
    }
}
