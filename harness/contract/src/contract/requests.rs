//! Where the bodies that are sent to the pipeline keep what they say: JSON pointers, by request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pointer::{Pointer, pointers};
use super::upload::Upload;

/// Where the bodies that are sent keep what they say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// In a registration.
    pub upload: UploadRequest,
    /// In a search.
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
        /// Whether to read the text in its pictures.
        ocr,
    }
}

pointers! {
    /// A search.
    SearchRequest {
        /// The words.
        query,
        /// How many results there may be.
        k,
    }
}

impl UploadRequest {
    /// The body that registers a document.
    pub fn body(&self, upload: &Upload) -> Value {
        let mut body = json!({});
        self.filename.put(&mut body, upload.filename.as_str());
        self.bytes_len.put(&mut body, upload.bytes.len());
        self.mime.put(&mut body, upload.mime.as_str());
        self.sha256.put(&mut body, upload.sha256.as_str());
        self.ocr.put(&mut body, upload.ocr);
        body
    }

    /// Every place of it, by its key.
    fn places(&self) -> [(&'static str, &Pointer); 5] {
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
    /// The body that searches, for whatever is to be said.
    pub fn body(&self, query: impl Into<Value>, k: impl Into<Value>) -> Value {
        let mut body = json!({});
        self.query.put(&mut body, query);
        self.k.put(&mut body, k);
        body
    }
}

impl Requests {
    /// A key whose place cannot be written beside another one's, or is missing, and what would be right.
    pub(super) fn contradiction(&self) -> Option<(String, String)> {
        if !self.search.query.is_given() {
            let detail =
                "cannot be \"none\": a search has words; make routes.search absent instead";
            return Some(("requests.search.query".to_owned(), detail.to_owned()));
        }
        let search = [("query", &self.search.query), ("k", &self.search.k)];
        clash(&search)
            .map(|found| ("search", found))
            .or_else(|| Some(("upload", clash(&self.upload.places())?)))
            .map(|(request, (key, other))| {
                let detail = format!(
                    "is at the place of requests.{request}.{other}, or above or below it; \
                     name a place of its own, or \"none\""
                );
                (format!("requests.{request}.{key}"), detail)
            })
    }
}

/// The first two keys whose places cannot both be written.
fn clash(places: &[(&'static str, &Pointer)]) -> Option<(&'static str, &'static str)> {
    let pairs = places.iter().enumerate();
    let mut pairs = pairs.flat_map(|(at, one)| places[..at].iter().map(move |other| (one, other)));
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
    fn a_registration_says_what_the_bytes_are_where_the_contract_wants_it() {
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
    fn a_search_says_what_and_how_many_where_the_contract_wants_it() {
        let contract = with("[requests.search]\nquery = '/q/text'\nk = 'none'").unwrap();
        let body = contract.requests.search.body("words", 3);
        assert_eq!(body, json!({"q": {"text": "words"}}));
    }

    #[test]
    fn places_that_cannot_both_be_written_are_named_with_the_remedy() {
        let refused = with("[requests.upload]\nmime = '/filename/type'").unwrap_err();
        let key = "'targets/x.toml': key 'requests.upload.mime'";
        assert!(refused.contains(key), "{refused}");
        assert!(refused.contains("requests.upload.filename"), "{refused}");
        let refused = with("[requests.search]\nquery = 'none'").unwrap_err();
        assert!(refused.contains("routes.search absent"), "{refused}");
    }
}
