//! The contract: every property of a pipeline that may differ between deployments.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_reports::record::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::callback::CallbackRules;
use super::duration::{DurationOrNone, DurationText};
use super::endpoint::{Endpoint, Presence, Route};
use super::fields::Fields;
use super::ids::Ids;
use super::log_lines::LogLines;
use super::pointer::Pointer;
use super::requests::Requests;
use super::responses::Responses;
use super::shape::Shape;
use super::standing::StandingRules;
use super::statuses::Statuses;
use super::vocabulary::Vocabulary;
use crate::layout::DatabaseLayout;
use cutover_evidence::stop::{CheckResult, Stop};

/// The contract of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The value of `{prefix}` in a route.
    pub prefix: String,
    /// The value of `{webhook_prefix}` in a route.
    pub webhook_prefix: String,
    /// The routes of the endpoints; an endpoint that is not listed is absent.
    pub routes: BTreeMap<Endpoint, Route>,
    /// The fields of the request bodies.
    pub requests: Requests,
    /// The fields of the responses that the harness reads.
    pub fields: Fields,
    /// All fields of the responses; a response that is not listed may have any fields.
    #[serde(default)]
    pub shapes: BTreeMap<Endpoint, Shape>,
    /// The status codes of the answers.
    pub statuses: Statuses,
    /// Headers of responses, and what errors of jobs contain.
    pub responses: Responses,
    /// The form of log lines.
    pub log_lines: LogLines,
    /// How the standing of a document is read.
    pub standing: StandingRules,
    /// What identifies a build.
    pub identity: IdentityRules,
    /// Routes outside the contract that a target may have.
    pub undocumented: Undocumented,
    /// The status and state names of jobs.
    pub vocabulary: Vocabulary,
    /// The limits of a user.
    pub limits: Limits,
    /// Timeouts and intervals.
    pub timing: Timing,
    /// How ids are derived.
    pub ids: Ids,
    /// How texts are split into chunks.
    pub chunker: Chunker,
    /// How chunks are embedded.
    pub embedder: Embedder,
    /// The layout of the object storage.
    pub storage: StorageLayout,
    /// The layout of the database.
    pub database: DatabaseLayout,
    /// How the parser's callback is authenticated.
    pub callback: CallbackRules,
    /// Which sites may read responses in a browser.
    #[serde(default)]
    pub cross_origin: CrossOrigin,
}

impl Contract {
    /// Parses a timestamp of a response; a finding about `what` if the format is wrong.
    pub fn time(&self, what: &str, text: &str) -> CheckResult<OffsetDateTime> {
        let format = &self.fields.times;
        format.parse(text).ok_or_else(|| {
            let summary =
                format!("{what} is not in the timestamp format of the contract (fields.times)");
            Stop::violated(Finding::new(summary).comparing(format.description(), text))
        })
    }
}

impl Contract {
    /// Whether the target has an endpoint; an optional one counts.
    pub fn has(&self, endpoint: Endpoint) -> bool {
        let route = self.route(endpoint);
        route.is_some_and(|route| route.presence != Presence::Absent)
    }

    /// The fields of an answer of the version route that form the identity of the build.
    pub fn identity_fields(&self) -> Vec<&Pointer> {
        let version = &self.fields.version;
        if !self.identity.fields.is_empty() {
            return self.identity.fields.iter().collect();
        }
        let usual = [
            &version.commit,
            &version.build,
            &version.migration_head,
            &version.environment,
        ];
        let usual = usual.into_iter();
        usual.filter(|pointer| pointer.is_given()).collect()
    }
}

/// The fields of the version answer that identify a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityRules {
    /// The fields that must stay the same during a run; empty: those of `fields.version`. All
    /// other fields of the answer may change.
    pub fields: Vec<Pointer>,
}

/// Routes outside the contract that a target may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undocumented {
    /// Routes that may exist, such as `GET /docs`; `*` at the end of a path covers all below it.
    pub allowed: Vec<String>,
    /// The path of the target's own `OpenAPI` document, whose routes may exist too; or `none`.
    pub openapi: String,
}

impl Undocumented {
    /// The path of the `OpenAPI` document, if the target has one.
    pub fn openapi_path(&self) -> Option<&str> {
        (self.openapi != "none").then_some(self.openapi.as_str())
    }

    /// Whether the contract allows this method and path.
    pub fn allows(&self, method: &str, path: &str) -> bool {
        self.allowed.iter().any(|allowed| {
            let Some((verb, at)) = allowed.split_once(' ') else {
                return false;
            };
            let matches = match at.trim().strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path.trim_end_matches('/') == at.trim().trim_end_matches('/'),
            };
            matches && verb.eq_ignore_ascii_case(method)
        })
    }

    /// The first wrong value with its key, and the remedy.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        let is_wrong = |route: &&String| {
            let parts = route.split_once(' ');
            !parts.is_some_and(|(verb, at)| {
                verb.parse::<http::Method>().is_ok() && at.trim().starts_with('/')
            })
        };
        if let Some(route) = self.allowed.iter().find(is_wrong) {
            let detail = format!("'{route}' is not a method and a path, such as \"GET /docs\"");
            return Some(("undocumented.allowed".to_owned(), detail));
        }
        let path = self.openapi_path()?;
        (!path.starts_with('/')).then(|| {
            let detail =
                format!("'{path}' is neither a path such as \"/openapi.json\" nor \"none\"");
            ("undocumented.openapi".to_owned(), detail)
        })
    }
}

/// The limits of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest accepted document, in bytes; the status for a larger one is 413.
    pub max_bytes: u64,
    /// The largest valid `bytes_len`; the status for a larger one is 422.
    pub hard_max_bytes: u64,
    /// The maximum length of a file name, in characters.
    pub filename_chars: usize,
    /// The accepted MIME type.
    pub mime: String,
    /// The maximum number of active jobs of a user.
    pub concurrent_jobs: u32,
    /// The maximum number of uploads of a user per day.
    pub daily_uploads: u32,
    /// The lifetime of a signed upload URL.
    #[serde(with = "DurationText")]
    pub url_ttl: Duration,
    /// The default page size of the job list.
    pub page_default: u32,
    /// The maximum page size of the job list.
    pub page_max: u32,
}

/// Timeouts and intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The interval at which an idle worker polls the queue.
    #[serde(with = "DurationText")]
    pub poll_interval: Duration,
    /// The delay before the first retry.
    #[serde(with = "DurationText")]
    pub retry_base: Duration,
    /// The factor between two retry delays.
    pub retry_factor: f64,
    /// The maximum delay before a retry.
    #[serde(with = "DurationText")]
    pub retry_cap: Duration,
    /// The maximum number of automatic retries.
    pub max_retries: u32,
    /// The lease of a worker; afterwards another worker may claim the job.
    #[serde(with = "DurationText")]
    pub lease: Duration,
    /// The parser's timeout for `parse_pages` pages; zero, written "none", if there is none.
    #[serde(with = "DurationOrNone")]
    pub parse_deadline: Duration,
    /// The number of pages for `parse_deadline`.
    pub parse_pages: u32,
    /// The parser's maximum timeout.
    #[serde(with = "DurationText")]
    pub parse_deadline_cap: Duration,
    /// The timeout of a provider request.
    #[serde(with = "DurationText")]
    pub provider_timeout: Duration,
    /// The maximum time in a status that does not wait for another party.
    #[serde(with = "DurationText")]
    pub stage_deadline: Duration,
    /// The timeout for the response to a callback.
    #[serde(with = "DurationText")]
    pub callback_within: Duration,
    /// The timeout for the response of the readiness route.
    #[serde(with = "DurationText")]
    pub ready_within: Duration,
    /// The maximum time from the upload of a small document to its completion.
    #[serde(with = "DurationText")]
    pub complete_within: Duration,
    /// The maximum time from SIGTERM to the exit of a process.
    #[serde(with = "DurationText")]
    pub shutdown_grace: Duration,
}

impl Timing {
    /// Whether there is a time limit for parsing.
    pub fn has_parse_deadline(&self) -> bool {
        !self.parse_deadline.is_zero()
    }
}

/// Which sites may read responses in a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossOrigin {
    /// The allowed origins, such as `https://app.example.com`; `*` is every origin, without credentials.
    pub origins: Vec<String>,
}

/// How texts are split into chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chunker {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The maximum number of lines of a chunk.
    pub max_lines: usize,
    /// The maximum number of characters of a chunk.
    pub max_chars: usize,
    /// What stands between two chunks in the text, and is in neither of them.
    #[serde(default)]
    pub joiner: String,
    /// Whether a chunk is stored without the whitespace at its start and end.
    #[serde(default)]
    pub strip: bool,
    /// Whether a chunk starts at each heading.
    #[serde(default = "yes")]
    pub at_headings: bool,
    /// The maximum number of characters that a chunk repeats from the one before it.
    #[serde(default)]
    pub overlap_chars: usize,
}

fn yes() -> bool {
    true
}

/// How chunks are embedded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embedder {
    /// The model.
    pub model: String,
    /// The dimension of its vectors.
    pub dimensions: usize,
    /// The maximum number of inputs of a request.
    pub max_batch: usize,
    /// The maximum number of tokens of an input.
    pub max_input_tokens: usize,
    /// The maximum number of tokens of a request.
    pub max_request_tokens: usize,
}

impl Embedder {
    /// The models that a stand-in serves: the one of the contract, and those of the real service.
    pub fn models(&self) -> Vec<String> {
        let real = [
            "text-embedding-3-small",
            "text-embedding-3-large",
            "text-embedding-ada-002",
        ];
        let own = std::iter::once(self.model.as_str());
        own.chain(real).map(str::to_owned).collect()
    }
}

/// The layout of the object storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageLayout {
    /// The bucket.
    pub bucket: String,
    /// Whether every call of the service has the header `apikey` beside its token.
    #[serde(default = "yes")]
    pub apikey: bool,
    /// The prefix of paths in the database, such as `storage://`.
    #[serde(default)]
    pub scheme: String,
    /// Bucket and key of a document's bytes: `{user_id}`, `{document_id}`, `{h}`; or `none`.
    pub raw_path: String,
    /// Bucket and key of its parsed text, or `none`.
    pub parsed_path: String,
    /// The value of `{h}`.
    pub h: ObjectName,
}

/// The value of a path that the target does not have.
const NO_PATH: &str = "none";

impl StorageLayout {
    /// Whether the places of uploaded files are known.
    pub fn has_raw_path(&self) -> bool {
        self.raw_path != NO_PATH
    }

    /// Whether the places of parsed texts are known.
    pub fn has_parsed_path(&self) -> bool {
        self.parsed_path != NO_PATH
    }

    /// The keys of the paths that are known.
    pub fn known_keys(&self) -> impl Iterator<Item = &'static str> {
        self.paths().map(|(key, _)| key)
    }

    /// The templates of the paths that are known, with their keys.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let paths = [
            ("storage.raw_path", self.raw_path.as_str()),
            ("storage.parsed_path", self.parsed_path.as_str()),
        ];
        paths.into_iter().filter(|(_, path)| *path != NO_PATH)
    }

    /// Bucket and key of a path in the database.
    pub fn object<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.scheme).unwrap_or(path)
    }
}

/// A short name derived from a document's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectName {
    /// The hash of the id's text.
    pub hash: NameHash,
    /// The number of hex digits that are used.
    pub digits: usize,
}

/// The hash function of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameHash {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
}
