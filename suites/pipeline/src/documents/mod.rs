//! Documents: from upload to search and deletion.

pub(crate) mod content_integrity;
pub(crate) mod deletion;
pub(crate) mod document_formats;
pub(crate) mod duplicates;
pub(crate) mod file_names;
pub(crate) mod golden_path;
pub(crate) mod happy_path;
pub(crate) mod invention;
pub(crate) mod pdf_structures;
pub(crate) mod registration;
pub(crate) mod repetition;
pub(crate) mod resemblance;
pub(crate) mod retrieval;
pub(crate) mod reupload;
pub(crate) mod signed_urls;
pub(crate) mod text_corpus;
pub(crate) mod text_fidelity;
pub(crate) mod texts_as_they_are;
pub(crate) mod token_limits;
