//! One HTTP exchange: the part of the response that arrived, and what interrupted it.

use std::time::Duration;

use cutover_reports::record::HttpExchange;
use http::{HeaderMap, StatusCode};

use super::http_error::{HttpError, MAX_BODY, NoResponse};
use super::request::Request;
use super::response::Response;
use super::{body_excerpt, curl, mask};
use cutover_evidence::secret::MASK;

/// The part of a response that arrived.
#[derive(Default)]
pub(super) struct PartialResponse {
    pub(super) head: Option<(StatusCode, HeaderMap)>,
    pub(super) body: Vec<u8>,
    pub(super) failure: Option<ResponseFailure>,
}

/// Why a response is incomplete.
pub(super) enum ResponseFailure {
    /// The request could not be sent.
    Unsendable(String),
    /// The connection failed.
    Unreachable(reqwest::Error),
    /// The deadline passed.
    TimedOut,
    /// The server closed the connection, or its data was not HTTP.
    Truncated(reqwest::Error),
    /// The body exceeded the size limit, and the client closed the connection.
    TooLarge,
}

impl ResponseFailure {
    /// Classifies an error that occurred before the response headers arrived.
    pub(super) fn before_headers(error: reqwest::Error) -> Self {
        if error.is_builder() {
            Self::Unsendable(error.without_url().to_string())
        } else if error.is_connect() {
            Self::Unreachable(error.without_url())
        } else {
            Self::Truncated(error)
        }
    }

    fn into_error(self, surface: &str, request: &Request) -> HttpError {
        let no_response = |reason| HttpError::NoResponse {
            surface: surface.to_owned(),
            request: request.line(),
            reason,
        };
        match self {
            Self::Unsendable(reason) => HttpError::Unsendable {
                request: request.line(),
                reason,
            },
            Self::Unreachable(source) => HttpError::Unreachable {
                surface: surface.to_owned(),
                request: request.line(),
                source,
            },
            Self::TimedOut => no_response(NoResponse::TimedOut {
                after: request.deadline,
            }),
            Self::Truncated(error) => no_response(NoResponse::Truncated(root_cause(&error))),
            Self::TooLarge => no_response(NoResponse::TooLarge),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Unsendable(reason) => format!("not sent: {reason}"),
            Self::Unreachable(error) => format!("connection failed: {}", root_cause(error)),
            Self::TimedOut => "no complete response before the deadline".to_owned(),
            Self::Truncated(error) => format!("response incomplete: {}", root_cause(error)),
            Self::TooLarge => format!("connection closed by the client after {MAX_BODY} bytes"),
        }
    }
}

/// The last error in the source chain; the outer errors only say that sending failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}

impl PartialResponse {
    pub(super) fn recorded(
        &self,
        surface: &str,
        request: &Request,
        correlation_id: &str,
        elapsed: Duration,
    ) -> HttpExchange {
        HttpExchange {
            surface: surface.to_owned(),
            method: request.method.to_string(),
            url: mask::tokens(request.url.as_str(), MASK),
            request_headers: mask::headers(&request.headers),
            request_body: body_excerpt::excerpt(&request.body),
            correlation_id: correlation_id.to_owned(),
            status: self.head.as_ref().map(|(status, _)| status.as_u16()),
            response_headers: self
                .head
                .as_ref()
                .map_or_else(Vec::new, |(_, headers)| mask::headers(headers)),
            response_body: body_excerpt::excerpt(&self.body),
            error: self.failure.as_ref().map(ResponseFailure::text),
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
            curl: curl::command(request),
        }
    }

    pub(super) fn into_response(
        self,
        surface: &str,
        request: &Request,
        correlation_id: String,
        elapsed: Duration,
    ) -> Result<Response, HttpError> {
        match (self.head, self.failure) {
            (Some((status, headers)), None) => Ok(Response {
                surface: surface.to_owned(),
                request: request.line(),
                correlation_id,
                status: status.as_u16(),
                headers,
                body: self.body,
                elapsed,
            }),
            (_, failure) => {
                let failure = failure.unwrap_or(ResponseFailure::TimedOut);
                Err(failure.into_error(surface, request))
            }
        }
    }
}
