//! The contract: everything about the pipeline that may differ from one deployment to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::callback::CallbackRules;
use super::duration::DurationText;
use super::endpoint::{Endpoint, Route};
use super::fields::Fields;
use super::ids::Ids;
use super::requests::Requests;
use super::shape::Shape;
use super::vocabulary::Vocabulary;

/// What a pipeline promises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// What `{prefix}` stands for in a route.
    pub prefix: String,
    /// What `{webhook_prefix}` stands for in a route.
    pub webhook_prefix: String,
    /// Where the endpoints are; one that is not named is absent.
    pub routes: BTreeMap<Endpoint, Route>,
    /// Where the bodies that are sent keep what they say.
    pub requests: Requests,
    /// Where the answers keep what the harness reads.
    pub fields: Fields,
    /// What the answers hold besides; one that is not named may hold anything.
    #[serde(default)]
    pub shapes: BTreeMap<Endpoint, Shape>,
    /// The words for a job's progress.
    pub vocabulary: Vocabulary,
    /// How much a user may do.
    pub limits: Limits,
    /// How long things may take.
    pub timing: Timing,
    /// What ids are made of.
    pub ids: Ids,
    /// How texts are cut.
    pub chunker: Chunker,
    /// How chunks become vectors.
    pub embedder: Embedder,
    /// Where objects are.
    pub storage: StorageLayout,
    /// Where rows are.
    pub database: DatabaseLayout,
    /// How the parser's callback proves where it comes from.
    pub callback: CallbackRules,
}

/// How much a user may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest document that is accepted, in bytes; a larger one is answered 413.
    pub max_bytes: u64,
    /// Above this the body itself is invalid; it is answered 422.
    pub hard_max_bytes: u64,
    /// The longest file name, in characters.
    pub filename_chars: usize,
    /// The one type that is accepted.
    pub mime: String,
    /// The most jobs that a user may have at once.
    pub concurrent_jobs: u32,
    /// The most documents that a user may upload in a day.
    pub daily_uploads: u32,
    /// How long a signed upload address lives.
    #[serde(with = "DurationText")]
    pub url_ttl: Duration,
    /// The size of a page of jobs unless asked otherwise.
    pub page_default: u32,
    /// The largest page of jobs.
    pub page_max: u32,
}

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// How often an idle worker looks for work.
    #[serde(with = "DurationText")]
    pub poll_interval: Duration,
    /// The pause before the first retry.
    #[serde(with = "DurationText")]
    pub retry_base: Duration,
    /// By how much each pause is longer than the one before.
    pub retry_factor: f64,
    /// The longest pause before a retry.
    #[serde(with = "DurationText")]
    pub retry_cap: Duration,
    /// How often a job is tried again by itself.
    pub max_retries: u32,
    /// How long a worker may be silent before its job is given to another.
    #[serde(with = "DurationText")]
    pub lease: Duration,
    /// How long the parser may take for `parse_pages` pages.
    #[serde(with = "DurationText")]
    pub parse_deadline: Duration,
    /// For how many pages.
    pub parse_pages: u32,
    /// How long the parser may take for any document.
    #[serde(with = "DurationText")]
    pub parse_deadline_cap: Duration,
    /// How long one call to a provider may take.
    #[serde(with = "DurationText")]
    pub provider_timeout: Duration,
    /// How long a job may stay in a status that waits for nobody.
    #[serde(with = "DurationText")]
    pub stage_deadline: Duration,
    /// How long the answer to a callback may take.
    #[serde(with = "DurationText")]
    pub callback_within: Duration,
    /// How long the answer about readiness may take.
    #[serde(with = "DurationText")]
    pub ready_within: Duration,
    /// How long a small document may take from its upload to its vectors.
    #[serde(with = "DurationText")]
    pub complete_within: Duration,
    /// How long a process may take to end when asked to.
    #[serde(with = "DurationText")]
    pub shutdown_grace: Duration,
}

/// How texts are cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chunker {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The most lines of a chunk.
    pub max_lines: usize,
    /// The most characters of a chunk.
    pub max_chars: usize,
}

/// How chunks become vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embedder {
    /// The model.
    pub model: String,
    /// How many numbers its vectors have.
    pub dimensions: usize,
    /// The most inputs of one call.
    pub max_batch: usize,
}

/// Where objects are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageLayout {
    /// The bucket.
    pub bucket: String,
    /// Bucket and key of a document's bytes: `{user_id}`, `{document_id}`, `{h}`.
    pub raw_path: String,
    /// Bucket and key of its parsed text.
    pub parsed_path: String,
    /// What `{h}` is.
    pub h: ObjectName,
}

/// A short name made of a document's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectName {
    /// The hash of the id's text.
    pub hash: NameHash,
    /// How many hex digits of it are used.
    pub digits: usize,
}

/// A hash that names are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameHash {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
}

/// Where rows are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseLayout {
    /// The schema.
    pub schema: String,
}
