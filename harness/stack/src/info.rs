//! What a stack is and how to reach it, in memory and on disk.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use cutover_evidence::secret::Secret;

use super::credentials::{Credentials, DATABASE_URL, MissingSecret};
use super::ledger::{LedgerError, write_private};
use super::mark::ProcessIdentity;
use super::system::Endpoints;

/// The file in a stack's directory.
pub(crate) const FILE: &str = "stack.json";

/// What a stack runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// Plain processes with a real PostgreSQL.
    #[default]
    Processes,
    /// Containers on a network of their own, with pgvector; the stand-ins are a process.
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

/// A process, as it was when the stack had started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// What it is called.
    pub name: String,
    /// Which process it is.
    pub mark: ProcessIdentity,
    /// Where it answers HTTP.
    pub url: Option<Url>,
    /// Where its output goes.
    pub log: PathBuf,
}

/// Where a stack is and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackInfo {
    /// What tells the stack from others.
    pub id: String,
    /// What it runs on.
    pub kind: StackKind,
    /// Its directory.
    pub directory: PathBuf,
    /// When it had started.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// The origin of the API.
    pub api_url: Url,
    /// The API.
    pub api: ProcessInfo,
    /// The workers it was started with.
    pub workers: Vec<ProcessInfo>,
    /// PostgreSQL.
    pub postgres: ProcessInfo,
    /// The process of the stand-ins.
    pub standin_process: ProcessInfo,
    /// Where the stand-ins are, by name.
    pub endpoints: Endpoints,
    /// The secrets, by name.
    pub credentials: Credentials,
}

/// A description of a stack that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StackInfoError {
    /// There is no such file.
    #[error("read the stack's file '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not describe a stack.
    #[error("understand the stack's file '{}'", path.display())]
    Understand {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl StackInfo {
    /// The address of the database for its superuser.
    ///
    /// # Errors
    /// Where the file of the stack lacks it.
    pub fn database_url(&self) -> Result<&Secret, MissingSecret> {
        self.credentials.get(DATABASE_URL)
    }

    /// All processes, as they were when the stack had started.
    pub fn processes(&self) -> impl Iterator<Item = &ProcessInfo> {
        [&self.postgres, &self.standin_process, &self.api]
            .into_iter()
            .chain(&self.workers)
    }

    /// Reads the description in a stack's directory.
    pub fn read(directory: &Path) -> Result<Self, StackInfoError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(StackInfoError::Read { path, source }),
        };
        serde_json::from_str(&text).map_err(|source| StackInfoError::Understand { path, source })
    }

    /// Writes the description into the stack's directory.
    pub(crate) fn write(&self) -> Result<(), LedgerError> {
        write_private(&self.directory.join(FILE), self)
    }
}
