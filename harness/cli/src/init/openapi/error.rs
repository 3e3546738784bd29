//! Why no contract can be proposed from an OpenAPI document.

use std::io;

/// Why no contract can be proposed from an OpenAPI document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenApiError {
    /// The file cannot be read.
    #[error("read '{path}'")]
    File {
        /// The path.
        path: String,
        /// The reason.
        #[source]
        cause: io::Error,
    },
    /// The address does not answer with a document.
    #[error("read '{url}': {problem}")]
    Address {
        /// The address.
        url: String,
        /// The status, or the reason that there is none.
        problem: String,
    },
    /// The document is not JSON.
    #[error("'{source_name}' is not JSON{hint}")]
    NotJson {
        /// The file or address.
        source_name: String,
        /// What to do about YAML.
        hint: &'static str,
    },
    /// It is JSON, and no OpenAPI document.
    #[error("'{source_name}' is no OpenAPI document: {problem}")]
    NotOpenApi {
        /// The file or address.
        source_name: String,
        /// What is missing.
        problem: &'static str,
    },
    /// None of its operations can register a document.
    #[error("'{source_name}' has no operation that registers a document, among {operations}")]
    NoUpload {
        /// The file or address.
        source_name: String,
        /// The number of operations.
        operations: usize,
    },
}
