//! The address card of a stack: all that a probe needs, in memory and on disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use super::ledger::{LedgerError, write_private};
use super::mark::Mark;
use crate::secret::{Secret, exposed};
use crate::standin::StandinCard;

/// The name of the card in a stack's directory.
const FILE: &str = "card.json";

/// What a stack runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// Processes of this machine.
    #[default]
    Processes,
    /// Containers, on a network of their own; the stand-ins are a process.
    Containers,
}

/// A process, as it was when the stack had started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessCard {
    /// What it is called.
    pub name: String,
    /// Which process it is.
    pub mark: Mark,
    /// Where it answers HTTP.
    pub url: Option<Url>,
    /// Where its output goes.
    pub log: PathBuf,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseCard {
    /// Its address for the superuser.
    #[serde(serialize_with = "exposed")]
    pub url: Secret,
    /// The superuser's password.
    #[serde(serialize_with = "exposed")]
    pub password: Secret,
    /// Its address for the pipeline's own role, as the pipeline is told it.
    #[serde(serialize_with = "exposed")]
    pub app_url: Secret,
    /// The password of the pipeline's own role.
    #[serde(serialize_with = "exposed")]
    pub app_password: Secret,
}

/// The Supabase project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupabaseCard {
    /// Its origin.
    pub url: Url,
    /// Its public key.
    #[serde(serialize_with = "exposed")]
    pub anon_key: Secret,
    /// Its all-powerful key.
    #[serde(serialize_with = "exposed")]
    pub service_role_key: Secret,
    /// The HS256 secret of its tokens.
    #[serde(serialize_with = "exposed")]
    pub jwt_secret: Secret,
    /// Who issues its tokens.
    pub issuer: String,
    /// For whom its tokens are.
    pub audience: String,
}

/// Where a stack is and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackCard {
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
    pub api: ProcessCard,
    /// The workers it was started with.
    pub workers: Vec<ProcessCard>,
    /// PostgreSQL.
    pub postgres: ProcessCard,
    /// The process of the stand-ins.
    pub standin_process: ProcessCard,
    /// The database.
    pub database: DatabaseCard,
    /// The Supabase project.
    pub supabase: SupabaseCard,
    /// The stand-ins.
    pub standins: StandinCard,
    /// The parser's key.
    #[serde(serialize_with = "exposed")]
    pub parser_key: Secret,
    /// The embedder's key.
    #[serde(serialize_with = "exposed")]
    pub embedder_key: Secret,
    /// The static secret of callbacks, where the contract uses one.
    #[serde(serialize_with = "exposed")]
    pub callback_secret: Secret,
    /// The origin at which callbacks arrive.
    pub callback_base: Url,
}

/// A card that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// There is no such file.
    #[error("read the stack's card '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no card.
    #[error("understand the stack's card '{}'", path.display())]
    Understand {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl StackCard {
    /// Every secret of the stack, for the redactor.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.named_secrets().map(|(_, secret)| secret)
    }

    /// Every secret of the stack, with what it is called.
    pub fn named_secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let (database, supabase) = (&self.database, &self.supabase);
        [
            ("the superuser's database address", &database.url),
            ("the superuser's database password", &database.password),
            ("the pipeline's database address", &database.app_url),
            ("the pipeline's database password", &database.app_password),
            ("the service role key", &supabase.service_role_key),
            ("the public key of the project", &supabase.anon_key),
            ("the secret of access tokens", &supabase.jwt_secret),
            ("the parser's key", &self.parser_key),
            ("the embedder's key", &self.embedder_key),
            ("the static secret of callbacks", &self.callback_secret),
        ]
        .into_iter()
    }

    /// All processes, as they were when the stack had started.
    pub fn processes(&self) -> impl Iterator<Item = &ProcessCard> {
        [&self.postgres, &self.standin_process, &self.api]
            .into_iter()
            .chain(&self.workers)
    }

    /// Reads the card in a stack's directory.
    pub fn read(directory: &Path) -> Result<Self, CardError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(CardError::Read { path, source }),
        };
        serde_json::from_str(&text).map_err(|source| CardError::Understand { path, source })
    }

    /// Writes the card into the stack's directory.
    pub(crate) fn write(&self) -> Result<(), LedgerError> {
        write_private(&self.directory.join(FILE), self)
    }
}
