//! Why an HTTP request has no complete response.

use std::time::Duration;

use cutover_reports::record::Finding;

use cutover_evidence::stop::Stop;

/// The longest body that is read.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client cannot be built, for example because no CA certificates exist.
    #[error("build an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The request is not valid HTTP.
    #[error("send {request}: {reason}")]
    Unsendable {
        /// The request.
        request: String,
        /// The invalid part.
        reason: String,
    },
    /// The connection failed.
    #[error("connect to the {surface}: {request}")]
    Unreachable {
        /// The surface.
        surface: String,
        /// The request.
        request: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// The request was sent, but no complete response arrived.
    #[error("the {surface} {reason}: {request}")]
    NoResponse {
        /// The surface.
        surface: String,
        /// The request.
        request: String,
        /// What happened instead.
        reason: NoResponse,
    },
}

/// Why no complete response arrived.
#[derive(Debug, thiserror::Error)]
pub enum NoResponse {
    /// The deadline passed.
    #[error("did not respond within {}", humantime::format_duration(*after))]
    TimedOut {
        /// The deadline.
        after: Duration,
    },
    /// The server closed the connection, or its data was not HTTP.
    #[error("sent an incomplete response ({0})")]
    Truncated(String),
    /// The body exceeded the size limit.
    #[error("sent a response of more than {MAX_BODY} bytes")]
    TooLarge,
}

impl HttpError {
    /// The result for a check. A surface that accepts a connection but does not
    /// respond is wrong; if the connection fails, the check could not tell.
    pub fn into_stop(self) -> Stop {
        match self {
            Self::NoResponse { .. } => Stop::violated(Finding::new(self.to_string())),
            Self::Client(_) | Self::Unsendable { .. } | Self::Unreachable { .. } => {
                Stop::Error(self.into())
            }
        }
    }
}
