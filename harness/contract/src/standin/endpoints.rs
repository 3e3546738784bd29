//! How the stand-ins are told what to be, and how they say where they are.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::contract::CallbackRules;

/// What the stand-ins are started with: one JSON object on their standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandinSettings {
    /// The address to listen on.
    pub bind: IpAddr,
    /// Fixed ports, by stand-in name; others are free ports.
    #[serde(default)]
    pub ports: std::collections::BTreeMap<String, u16>,
    /// The key that the parser accepts.
    pub parser_key: String,
    /// The key that the embedder accepts.
    pub embedder_key: String,
    /// The public key of the Supabase project.
    pub anon_key: String,
    /// The secret key of the Supabase project.
    pub service_role_key: String,
    /// The HS256 secret of the Supabase project's tokens.
    pub jwt_secret: String,
    /// Where objects are stored.
    pub storage_dir: PathBuf,
    /// The buckets that exist.
    pub buckets: Vec<String>,
    /// How many numbers a vector has.
    pub dimensions: usize,
    /// The most inputs the embedder takes in one call.
    pub max_batch: usize,
    /// How long a signed upload address lives, in milliseconds.
    pub upload_url_ttl_ms: u64,
    /// The users that exist from the beginning; each has the same id whenever it is served.
    #[serde(default)]
    pub users: Vec<StandinUser>,
    /// How the parser proves that a callback is its own.
    #[serde(default)]
    pub callback: CallbackRules,
    /// The static secret of callbacks, where the rules ask for one.
    #[serde(default)]
    pub callback_token: Option<String>,
    /// The seeded defect to run with.
    #[serde(default)]
    pub defect: Option<String>,
}

/// A user of the Supabase project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandinUser {
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// Where the stand-ins are: the one line they write to standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandinEndpoints {
    /// LlamaParse.
    pub parser: Url,
    /// OpenAI.
    pub embedder: Url,
    /// Supabase: `/storage/v1` and `/auth/v1`.
    pub supabase: Url,
    /// Where they are programmed and asked what they saw.
    pub control: Url,
}
