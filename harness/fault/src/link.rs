//! A link: one connection of a system to something that it needs, led through a proxy of ours.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkName {
    /// PostgreSQL.
    Database,
    /// Supabase Storage.
    Storage,
    /// Supabase Auth, where it is not reached with the storage.
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

/// A listener of ours in front of something that the target needs. The target is told this
/// address in the place of the real one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Where we listen: an address of this machine with a port.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Where the real thing is: `host:port`.
    pub upstream: String,
}

impl LinkSettings {
    /// The host of the real thing.
    pub fn upstream_host(&self) -> Option<&str> {
        let (host, port) = self.upstream.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']);
        (!host.is_empty() && port.parse::<u16>().is_ok()).then_some(host)
    }
}

/// What has passed through a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that the system has opened.
    pub connections: u64,
    /// Those of them for which there was nobody at the other end.
    pub refused: u64,
    /// Bytes from the system.
    pub sent: u64,
    /// Bytes to the system.
    pub received: u64,
}

/// Counts while connections live; reading it disturbs none of them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            connections: count(&self.connections),
            refused: count(&self.refused),
            sent: count(&self.sent),
            received: count(&self.received),
        }
    }
}
