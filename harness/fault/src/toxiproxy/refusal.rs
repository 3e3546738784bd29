//! A request that the API refuses, with Toxiproxy's status and text.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::faults::FaultError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("bad request body: {0}")]
    Body(#[from] serde_json::Error),
    #[error("missing required field: {0}")]
    MissingField(&'static str),
    #[error("stream was invalid, can be either upstream or downstream")]
    InvalidStream,
    #[error("invalid toxic type")]
    InvalidToxicType,
    #[error("bad request body: {0}")]
    OutOfRange(#[from] FaultError),
    #[error("bad request body: attribute '{0}' is not a whole number from 0")]
    InvalidAttribute(String),
    #[error("proxy not found")]
    ProxyNotFound,
    #[error("proxy already exists")]
    ProxyExists,
    #[error("toxic not found")]
    ToxicNotFound,
    #[error("toxic already exists")]
    ToxicExists,
    #[error("listen on {address}: {source}")]
    Listen {
        address: String,
        source: std::io::Error,
    },
    #[error("no such route")]
    NoRoute,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Body(_)
            | Self::MissingField(_)
            | Self::InvalidStream
            | Self::InvalidToxicType
            | Self::OutOfRange(_)
            | Self::InvalidAttribute(_) => StatusCode::BAD_REQUEST,
            Self::ProxyNotFound | Self::ToxicNotFound | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::ProxyExists | Self::ToxicExists => StatusCode::CONFLICT,
            Self::Listen { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({ "error": self.to_string(), "status": status.as_u16() });
        (status, Json(body)).into_response()
    }
}
