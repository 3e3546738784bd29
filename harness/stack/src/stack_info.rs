//! The addresses and credentials of a running stack, in memory and in `stack.json`.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use cutover_evidence::secret::Secret;

use super::credentials::{Credentials, DATABASE_URL, MissingSecret};
use super::process_identity::ProcessIdentity;
use super::state::{StateError, write_private};
use super::system::Endpoints;

/// The name of the file in a stack's directory.
pub(crate) const FILE: &str = "stack.json";

/// What a stack runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// Child processes, with an installed PostgreSQL.
    #[default]
    Processes,
    /// Containers on a network of their own, with pgvector; the stand-ins are a child process.
    Containers,
}

impl fmt::Display for StackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processes => "processes",
            Self::Containers => "containers",
        })
    }
}

/// A process of a stack, as of the start of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// The name of the service.
    pub name: String,
    /// The PID and start time of the process.
    pub identity: ProcessIdentity,
    /// Its HTTP origin, if it has one.
    pub url: Option<Url>,
    /// The file with its output.
    pub log: PathBuf,
}

/// The addresses and credentials of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackInfo {
    /// The unique id of the stack.
    pub id: String,
    /// What it runs on.
    pub kind: StackKind,
    /// Its directory.
    pub directory: PathBuf,
    /// When its start was complete.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// The origin of the API.
    pub api_url: Url,
    /// The origin of the API for its users: behind their link, if there is one.
    pub client_url: Url,
    /// The API.
    pub api: ProcessInfo,
    /// The workers it was started with.
    pub workers: Vec<ProcessInfo>,
    /// PostgreSQL.
    pub postgres: ProcessInfo,
    /// The process that runs the stand-ins.
    pub standin_process: ProcessInfo,
    /// The URLs of the stand-ins, by name.
    pub endpoints: Endpoints,
    /// The secrets, by name.
    pub credentials: Credentials,
}

/// A `stack.json` that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StackInfoError {
    /// The file could not be read.
    #[error("read the stack's file '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("parse the stack's file '{}'", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

impl StackInfo {
    /// The URL of the database for the superuser.
    ///
    /// # Errors
    /// If the file of the stack lacks it.
    pub fn database_url(&self) -> Result<&Secret, MissingSecret> {
        self.credentials.get(DATABASE_URL)
    }

    /// All processes that the stack was started with.
    pub fn processes(&self) -> impl Iterator<Item = &ProcessInfo> {
        [&self.postgres, &self.standin_process, &self.api]
            .into_iter()
            .chain(&self.workers)
    }

    /// Reads `stack.json` in a stack's directory.
    pub fn read(directory: &Path) -> Result<Self, StackInfoError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(StackInfoError::Read { path, source }),
        };
        serde_json::from_str(&text).map_err(|source| StackInfoError::Parse { path, source })
    }

    /// Writes `stack.json` into the stack's directory.
    pub(crate) fn write(&self) -> Result<(), StateError> {
        write_private(&self.directory.join(FILE), self)
    }
}
