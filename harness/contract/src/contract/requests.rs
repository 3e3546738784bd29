//! The fields of the request bodies, as JSON pointers per request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pointer::{Pointer, pointers};
use super::upload::Upload;

/// The fields of the request bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Fields of a registration.
    pub upload: UploadRequest,
    /// Fields of a search.
    pub search: SearchRequest,
    /// Query parameters of a list of jobs.
    pub jobs: ListQuery,
    /// Fields of a submission to the parser.
    pub parser: ParserSubmission,
}

/// The query parameters of a list of jobs, each a name or `none`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The size of a page.
    pub limit: String,
    /// The number of jobs before a page.
    pub offset: String,
    /// The state of the jobs that are listed.
    pub state: String,
}

/// What a submission to the parser has beside the document and the callback URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParserSubmission {
    /// The form field `result_type`, or `none` if the pipeline does not send it.
    pub result_type: String,
    /// Whether it has instructions for the parser.
    pub instructions: bool,
}

/// The value of a name that the target does not have.
const NONE: &str = "none";

impl ListQuery {
    /// Whether a list has pages by size and offset.
    pub fn has_pages(&self) -> bool {
        self.limit != NONE && self.offset != NONE
    }

    /// The target's name of a parameter, from its key; nothing if the target does not have it.
    pub fn name_of(&self, key: &str) -> Option<&str> {
        let name = match key {
            "limit" => &self.limit,
            "offset" => &self.offset,
            "state" => &self.state,
            _ => return None,
        };
        (name != NONE).then_some(name.as_str())
    }

    /// The key of a name that is empty or used twice, and the remedy.
    fn contradiction(&self) -> Option<(String, String)> {
        let names = [
            ("limit", &self.limit),
            ("offset", &self.offset),
            ("state", &self.state),
        ];
        let is_wrong = |at: usize| {
            let (_, name) = names[at];
            let mut earlier = names[..at].iter();
            name.is_empty() || (name != NONE && earlier.any(|(_, other)| *other == name))
        };
        let at = (0..names.len()).find(|at| is_wrong(*at))?;
        let detail = format!(
            "'{}' is empty or names another parameter, too; write the name of the query parameter, or \"none\"",
            names[at].1
        );
        Some((format!("requests.jobs.{}", names[at].0), detail))
    }
}

impl ParserSubmission {
    /// The expected form field `result_type`.
    pub fn result_type(&self) -> Option<&str> {
        (self.result_type != NONE).then_some(self.result_type.as_str())
    }
}

pointers! {
    /// A registration.
    UploadRequest {
        /// The document's name.
        filename,
        /// Its length.
        bytes_len,
        /// Its type.
        mime,
        /// Its hash.
        sha256,
        /// Whether to use OCR.
        ocr,
    }
}

pointers! {
    /// A search.
    SearchRequest {
        /// The search text.
        query,
        /// The maximum number of results.
        k,
    }
}

impl UploadRequest {
    /// The body of a registration.
    pub fn body(&self, upload: &Upload) -> Value {
        let mut body = json!({});
        self.filename.put(&mut body, upload.filename.as_str());
        self.bytes_len.put(&mut body, upload.bytes.len());
        self.mime.put(&mut body, upload.mime.as_str());
        self.sha256.put(&mut body, upload.sha256.as_str());
        self.ocr.put(&mut body, upload.ocr);
        body
    }

    /// All pointers, by key.
    fn pointers(&self) -> [(&'static str, &Pointer); 5] {
        [
            ("filename", &self.filename),
            ("bytes_len", &self.bytes_len),
            ("mime", &self.mime),
            ("sha256", &self.sha256),
            ("ocr", &self.ocr),
        ]
    }
}

impl SearchRequest {
    /// The body of a search, with arbitrary values.
    pub fn body(&self, query: impl Into<Value>, k: impl Into<Value>) -> Value {
        let mut body = json!({});
        self.query.put(&mut body, query);
        self.k.put(&mut body, k);
        body
    }
}

impl Requests {
    /// A key that clashes with another one or is missing, and the remedy.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        if !self.search.query.is_given() {
            let detail = "cannot be \"none\", because a search requires a text; declare routes.search absent instead";
            return Some(("requests.search.query".to_owned(), detail.to_owned()));
        }
        if let Some(found) = self.jobs.contradiction() {
            return Some(found);
        }
        let search = [("query", &self.search.query), ("k", &self.search.k)];
        clash(&search)
            .map(|found| ("search", found))
            .or_else(|| Some(("upload", clash(&self.upload.pointers())?)))
            .map(|(request, (key, other))| {
                let detail = format!(
                    "is equal to requests.{request}.{other} or nested with it; \
                     use a separate field, or \"none\""
                );
                (format!("requests.{request}.{key}"), detail)
            })
    }
}

/// The first two keys with clashing pointers.
fn clash(pointers: &[(&'static str, &Pointer)]) -> Option<(&'static str, &'static str)> {
    let pairs = pointers.iter().enumerate();
    let mut pairs =
        pairs.flat_map(|(at, one)| pointers[..at].iter().map(move |other| (one, other)));
    let ((key, _), (other, _)) = pairs.find(|((_, one), (_, other))| one.clashes(other))?;
    Some((key, other))
}

#[cfg(test)]
mod tests {
    use super::super::contract::Contract;
    use super::*;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    fn with(overrides: &str) -> Result<Contract, String> {
        let overrides = overrides.parse().unwrap();
        Contract::parse_with_overrides(DEFAULT, &overrides, "targets/x.toml")
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_has_the_parameters_of_the_contract() {
        let contract = with("[requests.jobs]\nlimit = 'per_page'\noffset = 'none'").unwrap();
        let jobs = contract.requests.jobs;
        assert_eq!(jobs.name_of("limit"), Some("per_page"));
        assert_eq!(jobs.name_of("offset"), None);
        assert!(!jobs.has_pages() && Contract::fixture().requests.jobs.has_pages());
        for wrong in ["limit = ''", "limit = 'state'"] {
            let error = with(&format!("[requests.jobs]\n{wrong}")).unwrap_err();
            assert!(error.contains("x.toml': key 'requests.jobs."), "{error}");
            assert!(error.contains("or \"none\""), "{error}");
        }
    }

    #[test]
    fn a_registration_has_the_fields_of_the_contract() {
        let upload = Upload::pdf("a.pdf", *b"hello");
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let expected = json!({"filename": "a.pdf", "bytes_len": 5, "mime": "application/pdf",
            "sha256": sha256, "ocr": false});
        let contract = Contract::fixture();
        assert_eq!(contract.requests.upload.body(&upload), expected);

        let contract = with(
            "[requests.upload]\nfilename = '/file/name'\nbytes_len = '/file/size'\n\
             mime = 'none'\nsha256 = '/digest'\nocr = 'none'",
        );
        let expected = json!({"file": {"name": "a.pdf", "size": 5}, "digest": sha256});
        assert_eq!(contract.unwrap().requests.upload.body(&upload), expected);
    }

    #[test]
    fn a_search_has_the_fields_of_the_contract() {
        let contract = with("[requests.search]\nquery = '/q/text'\nk = 'none'").unwrap();
        let body = contract.requests.search.body("words", 3);
        assert_eq!(body, json!({"q": {"text": "words"}}));
    }

    #[test]
    fn the_error_names_clashing_fields_and_the_remedy() {
        let refused = with("[requests.upload]\nmime = '/filename/type'").unwrap_err();
        let key = "'targets/x.toml': key 'requests.upload.mime'";
        assert!(refused.contains(key), "{refused}");
        assert!(refused.contains("requests.upload.filename"), "{refused}");
        let refused = with("[requests.search]\nquery = 'none'").unwrap_err();
        assert!(refused.contains("routes.search absent"), "{refused}");
    }
}
