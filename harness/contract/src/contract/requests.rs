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
