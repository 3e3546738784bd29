//! As much of an answer as came, and what broke it off.

use std::time::Duration;

use cutover_reports::record::HttpExchange;
use http::{HeaderMap, StatusCode};

use super::http::{HttpError, MAX_BODY, NoResponse};
use super::reply::Reply;
use super::request::Request;
use super::{body, curl, mask};
use cutover_evidence::secret::MASK;

/// As much of an answer as came.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) head: Option<(StatusCode, HeaderMap)>,
    pub(super) body: Vec<u8>,
    pub(super) broken: Option<Broken>,
}

/// Why an answer is not whole.
pub(super) enum Broken {
    /// The request could not be sent.
    Unsendable(String),
    /// No connection came about.
    Unreachable(reqwest::Error),
    /// The deadline passed.
    Late,
    /// The other side ended the connection, or spoke something that is not HTTP.
    Cut(reqwest::Error),
    /// We ended the connection, for the answer did not.
    Endless,
}

impl Broken {
    pub(super) fn before_the_answer(error: reqwest::Error) -> Self {
        if error.is_builder() {
            Self::Unsendable(error.without_url().to_string())
        } else if error.is_connect() {
            Self::Unreachable(error.without_url())
        } else {
            Self::Cut(error)
        }
    }

    fn into_error(self, surface: &str, request: &Request) -> HttpError {
        let no_answer = |silence| HttpError::NoAnswer {
            surface: surface.to_owned(),
            request: request.line(),
            silence,
        };
        match self {
            Self::Unsendable(why) => HttpError::Unsendable {
                request: request.line(),
                why,
            },
            Self::Unreachable(source) => HttpError::Unreachable {
                surface: surface.to_owned(),
                request: request.line(),
                source,
            },
            Self::Late => no_answer(NoResponse::TimedOut {
                after: request.deadline,
            }),
            Self::Cut(error) => no_answer(NoResponse::Truncated(innermost(&error))),
            Self::Endless => no_answer(NoResponse::TooLarge),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Unsendable(why) => format!("not sent: {why}"),
            Self::Unreachable(error) => format!("not reached: {}", innermost(error)),
            Self::Late => "no complete answer within the deadline".to_owned(),
            Self::Cut(error) => format!("broken off: {}", innermost(error)),
            Self::Endless => format!("broken off by us after {MAX_BODY} bytes"),
        }
    }
}

/// The cause of the causes: the outer ones only say that sending failed.
fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}

impl Answer {
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
            request_body: body::excerpt(&request.body),
            correlation_id: correlation_id.to_owned(),
            status: self.head.as_ref().map(|(status, _)| status.as_u16()),
            response_headers: self
                .head
                .as_ref()
                .map_or_else(Vec::new, |(_, headers)| mask::headers(headers)),
            response_body: body::excerpt(&self.body),
            error: self.broken.as_ref().map(Broken::text),
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
            curl: curl::command(request),
        }
    }

    pub(super) fn into_reply(
        self,
        surface: &str,
        request: &Request,
        correlation_id: String,
        elapsed: Duration,
    ) -> Result<Reply, HttpError> {
        match (self.head, self.broken) {
            (Some((status, headers)), None) => Ok(Reply {
                surface: surface.to_owned(),
                request: request.line(),
                correlation_id,
                status: status.as_u16(),
                headers,
                body: self.body,
                elapsed,
            }),
            (_, broken) => Err(broken.unwrap_or(Broken::Late).into_error(surface, request)),
        }
    }
}
