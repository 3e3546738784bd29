//! Sends one request to the stand-ins' control API.

use reqwest::{RequestBuilder, Response};

use crate::probe::HttpError;

/// Why a control request failed.
#[derive(Debug, thiserror::Error)]
pub enum StandinError {
    /// The HTTP client could not be built.
    #[error("build an HTTP client for the stand-ins")]
    Client(#[source] HttpError),
    /// The check keeps its callers waiting and does not declare that.
    #[error(
        "a script keeps callers of the {standin} waiting; add `.occupies(Resource::Worker)` or \
         `.occupies(Resource::Connections)` to the line of the check"
    )]
    HoldsCaller {
        /// The stand-in.
        standin: String,
    },
    /// There is no readable response.
    #[error("send a request to the stand-ins: {action}")]
    NoResponse {
        /// The action.
        action: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// The stand-ins rejected the request.
    #[error("{action}: the stand-ins responded {status}: {body}")]
    Rejected {
        /// The action.
        action: String,
        /// The response status.
        status: u16,
        /// The response body.
        body: String,
    },
}

/// Sends a request; an error unless the response status is 2xx.
pub(super) async fn send(action: &str, request: RequestBuilder) -> Result<Response, StandinError> {
    let action = action.to_owned();
    let response = match request.send().await {
        Ok(response) => response,
        Err(source) => return Err(StandinError::NoResponse { action, source }),
    };
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    Err(StandinError::Rejected {
        action,
        status: status.as_u16(),
        body,
    })
}
