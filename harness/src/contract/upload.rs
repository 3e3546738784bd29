//! A document on its way into the pipeline.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A document and what is said about it when it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub filename: String,
    /// Its type.
    pub mime: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The hash that is registered, in hex.
    pub sha256: String,
    /// Whether to read the text in its pictures.
    pub ocr: bool,
}

impl Upload {
    /// A PDF under this name.
    pub fn pdf(filename: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            filename: filename.into(),
            mime: "application/pdf".to_owned(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes,
            ocr: false,
        }
    }

    /// What is said when it is registered.
    pub fn registration(&self) -> Value {
        json!({
            "filename": self.filename,
            "bytes_len": self.bytes.len(),
            "mime": self.mime,
            "sha256": self.sha256,
            "ocr": self.ocr,
        })
    }

    /// What is said, with a change: for what a well-meaning client would not say.
    pub fn registered_as(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut registration = self.registration();
        change(&mut registration);
        registration
    }
}

impl From<&Upload> for Upload {
    fn from(upload: &Upload) -> Self {
        upload.clone()
    }
}

impl From<&Upload> for Value {
    fn from(upload: &Upload) -> Self {
        upload.registration()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_says_what_the_bytes_are_unless_changed() {
        let upload = Upload::pdf("a.pdf", *b"hello");
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(upload.registration()["sha256"], sha256);
        assert_eq!(upload.registration()["bytes_len"], 5);
        let changed = upload.registered_as(|body| body["bytes_len"] = (-1).into());
        assert_eq!(changed["bytes_len"], -1);
        assert_eq!(changed["sha256"], sha256);
    }
}
