//! A document to upload, with its registration.

use sha2::{Digest as _, Sha256};

/// A document and its registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The file name.
    pub filename: String,
    /// The MIME type.
    pub mime: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The registered SHA-256, in hex.
    pub sha256: String,
    /// Whether to use OCR.
    pub ocr: bool,
}

impl Upload {
    /// A PDF with this file name.
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
