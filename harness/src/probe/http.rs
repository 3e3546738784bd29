//! Asks an HTTP surface and records the exchange, whatever came of it.

use std::time::{Duration, Instant};

use cutover_reports::record::{Evidence, HttpExchange};
use http::{HeaderMap, StatusCode};

use super::reply::Reply;
use super::request::Request;
use super::{body, curl, mask};
use crate::journal::Recorder;
use crate::record::Finding;
use crate::secret::MASK;
use crate::stop::Stop;

/// How long an answer may take unless the request says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The longest body that is read.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No client can be made, for example because no CA certificates exist.
    #[error("build an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The request is none that HTTP can carry.
    #[error("send {request}: {why}")]
    Unsendable {
        /// The request.
        request: String,
        /// What cannot be sent.
        why: String,
    },
    /// No connection came about: we could not ask.
    #[error("reach the {surface}: {request}")]
    Unreachable {
        /// The surface.
        surface: String,
        /// The request.
        request: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The surface was asked and gave no complete answer.
    #[error("the {surface} {silence}: {request}")]
    NoAnswer {
        /// The surface.
        surface: String,
        /// The request.
        request: String,
        /// What it did instead.
        silence: Silence,
    },
}

/// What a surface does instead of answering.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// Nothing, for too long.
    #[error("did not answer within {}", humantime::format_duration(*after))]
    Late {
        /// The deadline.
        after: Duration,
    },
    /// It ended the connection.
    #[error("broke off its answer ({0})")]
    Cut(String),
    /// It went on and on.
    #[error("answered with more than {MAX_BODY} bytes")]
    Endless,
}

impl HttpError {
    /// What it means to a check: a surface that was reached and stays silent is
    /// wrong; one that cannot be reached leaves the question open.
    pub fn into_stop(self) -> Stop {
        match self {
            Self::NoAnswer { .. } => Stop::violated(Finding::new(self.to_string())),
            Self::Client(_) | Self::Unsendable { .. } | Self::Unreachable { .. } => {
                Stop::Error(self.into())
            }
        }
    }
}

/// The connections that all HTTP probes share.
///
/// It follows no redirect and uses no proxy: what is measured and judged is the
/// system, and nothing on the way to it.
pub fn client() -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(HttpError::Client)
}

/// Asks one HTTP surface.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    surface: String,
    recorder: Recorder,
}

impl Http {
    /// Asks a surface through these connections and records what it answers.
    pub fn new(client: reqwest::Client, surface: impl Into<String>, recorder: Recorder) -> Self {
        Self {
            client,
            surface: surface.into(),
            recorder,
        }
    }

    /// The same connections and record, for another surface.
    #[must_use]
    pub fn surface(&self, surface: impl Into<String>) -> Self {
        Self::new(self.client.clone(), surface, self.recorder.clone())
    }

    /// Where the exchanges are recorded.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, mut request: Request) -> Result<Reply, HttpError> {
        let correlation_id = request.correlate();
        let started = Instant::now();
        let answer = self.ask(&request).await;
        let elapsed = started.elapsed();
        let exchange = answer.recorded(&self.surface, &request, &correlation_id, elapsed);
        self.recorder.record(Evidence::Http(exchange));
        answer.into_reply(&self.surface, &request, correlation_id, elapsed)
    }

    async fn ask(&self, request: &Request) -> Answer {
        let mut answer = Answer::default();
        answer.broken =
            match tokio::time::timeout(request.deadline, self.read(request, &mut answer)).await {
                Ok(read) => read.err(),
                Err(_) => Some(Broken::Late),
            };
        answer
    }

    /// Fills in the answer as it comes, so that what came before a break is kept.
    async fn read(&self, request: &Request, answer: &mut Answer) -> Result<(), Broken> {
        if let Some(header) = &request.unsendable {
            return Err(Broken::Unsendable(format!(
                "no header can be '{header}' with that value"
            )));
        }
        let sent = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await;
        let mut response = sent.map_err(Broken::before_the_answer)?;
        answer.head = Some((response.status(), response.headers().clone()));
        while let Some(chunk) = response.chunk().await.map_err(Broken::Cut)? {
            if answer.body.len() + chunk.len() > MAX_BODY {
                return Err(Broken::Endless);
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(())
    }
}

/// As much of an answer as came.
#[derive(Default)]
struct Answer {
    head: Option<(StatusCode, HeaderMap)>,
    body: Vec<u8>,
    broken: Option<Broken>,
}

enum Broken {
    Unsendable(String),
    Unreachable(reqwest::Error),
    Late,
    Cut(reqwest::Error),
    Endless,
}

impl Broken {
    fn before_the_answer(error: reqwest::Error) -> Self {
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
            Self::Late => no_answer(Silence::Late {
                after: request.deadline,
            }),
            Self::Cut(error) => no_answer(Silence::Cut(innermost(&error))),
            Self::Endless => no_answer(Silence::Endless),
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
    fn recorded(
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

    fn into_reply(
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
