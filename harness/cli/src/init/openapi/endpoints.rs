//! Which operation of a document is which endpoint of the contract, by method, words of the path, and fields.

use cutover_contract::contract::Endpoint;

use super::document::Operation;
use crate::init::field_names::find_fields;

const DOCUMENTS: &[&str] = &[
    "document",
    "documents",
    "file",
    "files",
    "attachment",
    "attachments",
];
const UPLOADS: &[&str] = &[
    "upload",
    "uploads",
    "ingest",
    "ingestion",
    "ingestions",
    "register",
    "import",
    "imports",
    "direct",
];
const JOBS: &[&str] = &[
    "job",
    "jobs",
    "ingestion",
    "ingestions",
    "task",
    "tasks",
    "run",
    "runs",
    "upload",
    "uploads",
    "processing",
];
const STATUS: &[&str] = &["status", "state", "progress"];
const RETRIES: &[&str] = &[
    "retry",
    "retries",
    "restart",
    "requeue",
    "reprocess",
    "rerun",
];
const SEARCHES: &[&str] = &[
    "search",
    "searches",
    "query",
    "queries",
    "ask",
    "retrieve",
    "retrieval",
    "similar",
];
const LIMITS: &[&str] = &["limit", "limits", "quota", "quotas"];
const CALLBACKS: &[&str] = &[
    "webhook",
    "webhooks",
    "callback",
    "callbacks",
    "hook",
    "hooks",
];
const HEALTH: &[&str] = &[
    "health", "healthz", "livez", "live", "liveness", "ping", "up",
];
const READY: &[&str] = &["ready", "readyz", "readiness"];
const VERSION: &[&str] = &["version", "build", "about"];
const METRICS: &[&str] = &["metrics", "prometheus"];

/// What is read from a path.
struct Words<'a> {
    /// The words of each segment that is no parameter.
    segments: Vec<Vec<String>>,
    /// Whether the path ends with a parameter.
    ends_with_id: bool,
    /// The number of parameters.
    ids: usize,
    operation: &'a Operation,
}

impl<'a> Words<'a> {
    fn of(operation: &'a Operation) -> Self {
        let path = operation
            .path
            .split('/')
            .filter(|segment| !segment.is_empty());
        let is_id = |segment: &&str| segment.starts_with('{') || segment.starts_with(':');
        let segments = path
            .clone()
            .filter(|segment| !is_id(segment))
            .map(|segment| {
                let words = segment.split(|letter: char| !letter.is_ascii_alphanumeric());
                words.map(str::to_lowercase).collect()
            });
        Self {
            segments: segments.collect(),
            ends_with_id: path.clone().next_back().is_some_and(|last| is_id(&last)),
            ids: path.filter(is_id).count(),
            operation,
        }
    }

    fn is(&self, method: &str, ids: usize, ends_with_id: bool) -> bool {
        self.operation.method == method && self.ids == ids && self.ends_with_id == ends_with_id
    }

    /// Whether the last segment, or the one before a parameter at the end, has one of these words.
    fn ends(&self, words: &[&str]) -> bool {
        has(self.segments.last(), words)
    }

    fn any(&self, words: &[&str]) -> bool {
        self.segments
            .iter()
            .any(|segment| has(Some(segment), words))
    }

    fn is_about_job(&self) -> bool {
        let before = self
            .segments
            .iter()
            .rev()
            .nth(usize::from(!self.ends_with_id));
        has(before, JOBS) && !has(before, DOCUMENTS)
    }

    /// The number of fields of a table that the request or the response has.
    fn fields(&self, table: &str) -> i32 {
        let leaves = match (&self.operation.success, table.starts_with("requests.")) {
            (_, true) => &self.operation.request,
            (Some((_, leaves)), false) => leaves,
            (None, false) => return 0,
        };
        let found = find_fields(table, leaves);
        i32::try_from(
            found
                .iter()
                .filter(|(_, pointer)| pointer.is_some())
                .count(),
        )
        .unwrap_or(0)
    }

    /// How well the operation fits an endpoint; 0 if it does not.
    fn score(&self, endpoint: Endpoint) -> i32 {
        let get = |words| points(self.is("GET", 0, false) && self.ends(words), 5);
        match endpoint {
            Endpoint::Upload => self.upload_score(),
            Endpoint::Job => {
                let by_job = self.is("GET", 1, true) && self.ends(JOBS) && !self.ends(DOCUMENTS);
                let by_status = self.is("GET", 1, false) && self.ends(STATUS);
                points(by_job, 6)
                    + points(by_status, 5)
                    + points(by_job || by_status, self.fields("fields.job"))
            }
            Endpoint::Jobs => {
                let is_list = self.is("GET", 0, false) && self.ends(JOBS) && !self.ends(DOCUMENTS);
                points(
                    is_list && self.fields("fields.jobs") > 0,
                    5 + self.fields("fields.jobs"),
                )
            }
            Endpoint::Retry => points(
                self.operation.method != "GET" && self.ids == 1 && self.ends(RETRIES),
                5,
            ),
            Endpoint::Document => points(self.is("GET", 1, true) && self.ends(DOCUMENTS), 5),
            Endpoint::DeleteDocument => {
                points(self.is("DELETE", 1, true) && self.ends(DOCUMENTS), 5)
            }
            Endpoint::Search => {
                let is_search = self.is("POST", 0, false) && self.any(SEARCHES);
                points(is_search, 5 + self.fields("requests.search"))
            }
            Endpoint::Limits => get(LIMITS),
            Endpoint::Callback => points(
                self.operation.method == "POST" && self.ids <= 1 && self.any(CALLBACKS),
                5,
            ),
            Endpoint::Health => get(HEALTH),
            Endpoint::Ready => get(READY),
            Endpoint::Version => get(VERSION),
            Endpoint::Metrics => get(METRICS),
        }
    }

    fn upload_score(&self) -> i32 {
        if !self.is("POST", 0, false)
            || self.any(RETRIES)
            || self.any(SEARCHES)
            || self.any(CALLBACKS)
        {
            return 0;
        }
        let words = points(self.any(UPLOADS), 2) + points(self.any(DOCUMENTS), 2);
        let fields = 2 * self.fields("requests.upload") + 2 * self.fields("fields.accepted");
        points(words > 0 && fields >= 4, words + fields)
    }
}

fn has(segment: Option<&Vec<String>>, words: &[&str]) -> bool {
    segment.is_some_and(|segment| segment.iter().any(|word| words.contains(&word.as_str())))
}

fn points(holds: bool, points: i32) -> i32 {
    if holds { points } else { 0 }
}

/// The operation that fits an endpoint best, if any does.
pub(super) fn operation_for(endpoint: Endpoint, operations: &[Operation]) -> Option<&Operation> {
    let scored = operations
        .iter()
        .map(|operation| (Words::of(operation).score(endpoint), operation));
    // Of equal ones the shortest path is taken: it has no parts that nobody asked for.
    let best = scored
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, operation)| (*score, usize::MAX - operation.path.len()));
    best.map(|(_, operation)| operation)
}

/// The path of an operation with the placeholder of the contract for its parameter.
pub(super) fn contract_path(endpoint: Endpoint, operation: &Operation) -> String {
    let is_document = matches!(endpoint, Endpoint::Document | Endpoint::DeleteDocument);
    let by_job =
        endpoint == Endpoint::Callback || (!is_document && Words::of(operation).is_about_job());
    let placeholder = if by_job { "{job_id}" } else { "{document_id}" };
    let segments = operation.path.split('/').map(|segment| {
        if segment.starts_with('{') || segment.starts_with(':') {
            placeholder
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
