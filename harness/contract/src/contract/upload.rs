//! A document on its way into the pipeline.

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
}

impl From<&Upload> for Upload {
    fn from(upload: &Upload) -> Self {
        upload.clone()
    }
}
