//! A link: the path from a system to one of its dependencies, through our proxy.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A link by its ends. The first five are the links of every part of a system to a dependency; the
/// others are those of one part.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
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
    /// From users to the API. Requests of cutover do not pass through it unless `[api]` has its address.
    ClientToApi,
    /// From the parser to the API: callbacks.
    ParserToApi,
    /// From the API to PostgreSQL.
    ApiToDatabase,
    /// From the API to Supabase Storage.
    ApiToStorage,
    /// From the API to OpenAI: searches.
    ApiToEmbedder,
    /// From the workers to PostgreSQL.
    WorkerToDatabase,
    /// From the workers to Supabase Storage.
    WorkerToStorage,
    /// From the workers to LlamaParse: submissions.
    WorkerToParser,
    /// From the workers to OpenAI.
    WorkerToEmbedder,
}

/// The part of a system, or outside of it, that connects through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkClient {
    /// Any part of the system.
    AnyPart,
    /// The API.
    Api,
    /// The workers.
    Worker,
    /// The users.
    User,
    /// The parser.
    Parser,
}

impl LinkName {
    /// The links that carry HTTP, each with one part of a system at one end.
    pub const HTTP: [Self; 7] = [
        Self::ClientToApi,
        Self::ParserToApi,
        Self::ApiToStorage,
        Self::ApiToEmbedder,
        Self::WorkerToStorage,
        Self::WorkerToParser,
        Self::WorkerToEmbedder,
    ];

    /// The links of one part of a system to PostgreSQL.
    pub const DATABASE: [Self; 2] = [Self::ApiToDatabase, Self::WorkerToDatabase];

    /// The link's name in files and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Storage => "storage",
            Self::Identity => "identity",
            Self::Parser => "parser",
            Self::Embedder => "embedder",
            Self::ClientToApi => "client_to_api",
            Self::ParserToApi => "parser_to_api",
            Self::ApiToDatabase => "api_to_database",
            Self::ApiToStorage => "api_to_storage",
            Self::ApiToEmbedder => "api_to_embedder",
            Self::WorkerToDatabase => "worker_to_database",
            Self::WorkerToStorage => "worker_to_storage",
            Self::WorkerToParser => "worker_to_parser",
            Self::WorkerToEmbedder => "worker_to_embedder",
        }
    }

    /// The part that connects through it.
    pub const fn client(self) -> LinkClient {
        match self {
            Self::Database | Self::Storage | Self::Identity | Self::Parser | Self::Embedder => {
                LinkClient::AnyPart
            }
            Self::ClientToApi => LinkClient::User,
            Self::ParserToApi => LinkClient::Parser,
            Self::ApiToDatabase | Self::ApiToStorage | Self::ApiToEmbedder => LinkClient::Api,
            Self::WorkerToDatabase
            | Self::WorkerToStorage
            | Self::WorkerToParser
            | Self::WorkerToEmbedder => LinkClient::Worker,
        }
    }

    /// The link of every part of the system to the same dependency, of which it is a part.
    pub const fn of_every_part(self) -> Option<Self> {
        match self {
            Self::ApiToDatabase | Self::WorkerToDatabase => Some(Self::Database),
            Self::ApiToStorage | Self::WorkerToStorage => Some(Self::Storage),
            Self::ApiToEmbedder | Self::WorkerToEmbedder => Some(Self::Embedder),
            Self::WorkerToParser => Some(Self::Parser),
            Self::Database
            | Self::Storage
            | Self::Identity
            | Self::Parser
            | Self::Embedder
            | Self::ClientToApi
            | Self::ParserToApi => None,
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
