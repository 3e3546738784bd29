//! Documents: from upload to search and deletion.

pub(crate) mod content_integrity;
pub(crate) mod deletion;
pub(crate) mod document_formats;
pub(crate) mod duplicates;
pub(crate) mod happy_path;
pub(crate) mod invention;
pub(crate) mod registration;
pub(crate) mod retrieval;
pub(crate) mod reupload;
pub(crate) mod signed_urls;
pub(crate) mod text_fidelity;
