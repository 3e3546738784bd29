//! The configuration of the stand-ins, and the endpoints that they report.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::contract::CallbackRules;

/// The configuration of the stand-ins: one JSON object on standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandinSettings {
    /// The address to listen on.
    pub bind: IpAddr,
    /// Fixed ports by stand-in name; the other stand-ins use free ports.
    #[serde(default)]
    pub ports: std::collections::BTreeMap<String, u16>,
    /// The API key of the parser.
    pub parser_key: String,
    /// The API key of the embedder.
    pub embedder_key: String,
    /// The public key of the Supabase project.
    pub anon_key: String,
    /// The secret key of the Supabase project.
    pub service_role_key: String,
    /// The HS256 secret of the Supabase project's tokens.
    pub jwt_secret: String,
    /// The directory of the objects.
    pub storage_dir: PathBuf,
    /// The existing buckets.
    pub buckets: Vec<String>,
    /// The dimension of the vectors.
    pub dimensions: usize,
    /// The maximum number of inputs of an embedder request.
    pub max_batch: usize,
    /// The models of the embedder; with none, it serves every model.
    #[serde(default)]
    pub models: Vec<String>,
    /// The lifetime of a signed upload URL, in milliseconds.
    pub upload_url_ttl_ms: u64,
    /// The initial users; a user has the same id after every start.
    #[serde(default)]
    pub users: Vec<StandinUser>,
    /// How the parser authenticates its callbacks.
    #[serde(default)]
    pub callback: CallbackRules,
    /// The static secret of callbacks, if the rules require one.
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
    /// The email address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The endpoints of the stand-ins: the only line on their standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandinEndpoints {
    /// The LlamaParse API.
    pub parser: Url,
    /// The OpenAI API.
    pub embedder: Url,
    /// Supabase: `/storage/v1` and `/auth/v1`.
    pub supabase: Url,
    /// The control API: scripts and received requests.
    pub control: Url,
}
