//! Asks an HTTP surface and records the exchange, whatever came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_reports::record::{Evidence, Finding};

use super::answer::{Answer, Broken};
use super::client::client_builder;
use super::gate::RequestGate;
use super::patience::StallAwareDeadline;
use super::reply::Reply;
use super::request::Request;
use cutover_evidence::journal::Recorder;
use cutover_evidence::stop::Stop;

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
        silence: NoResponse,
    },
}

/// What a surface does instead of answering.
#[derive(Debug, thiserror::Error)]
pub enum NoResponse {
    /// Nothing, for too long.
    #[error("did not answer within {}", humantime::format_duration(*after))]
    TimedOut {
        /// The deadline.
        after: Duration,
    },
    /// It ended the connection.
    #[error("broke off its answer ({0})")]
    Truncated(String),
    /// It went on and on.
    #[error("answered with more than {MAX_BODY} bytes")]
    TooLarge,
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

/// What all HTTP probes ask through.
///
/// It follows no redirect and uses no proxy: what is measured and judged is the
/// system, and nothing on the way to it. Every request has a connection of its
/// own. A server may end one that is idle at any moment, also while the next
/// request is on its way there: nobody could tell that from a server that broke
/// off its answer, nor whether the request was done and must not be sent again.
pub fn client() -> Result<reqwest::Client, HttpError> {
    client_builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .pool_max_idle_per_host(0)
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
    gate: Option<Arc<dyn RequestGate>>,
}

impl Http {
    /// Asks a surface through this client and records what it answers.
    pub fn new(client: reqwest::Client, surface: impl Into<String>, recorder: Recorder) -> Self {
        Self {
            client,
            surface: surface.into(),
            recorder,
            gate: None,
        }
    }

    /// The same client and record, for another surface.
    #[must_use]
    pub fn surface(&self, surface: impl Into<String>) -> Self {
        Self {
            surface: surface.into(),
            ..self.clone()
        }
    }

    /// The same, with every request through a gate.
    #[must_use]
    pub fn gated(self, gate: Option<Arc<dyn RequestGate>>) -> Self {
        Self { gate, ..self }
    }

    /// What every request passes, where there are limits.
    pub(crate) fn gate(&self) -> Option<&dyn RequestGate> {
        self.gate.as_deref()
    }

    /// Where the exchanges are recorded.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, mut request: Request) -> Result<Reply, HttpError> {
        let correlation_id = request.correlate();
        if let Some(gate) = &self.gate {
            gate.admit(request.body.len()).await;
        }
        let started = Instant::now();
        let answer = self.ask(&request).await;
        let elapsed = started.elapsed();
        if let Some(gate) = &self.gate {
            gate.answered(answer.head.as_ref().map(|(status, _)| status.as_u16()));
        }
        let exchange = answer.recorded(&self.surface, &request, &correlation_id, elapsed);
        self.recorder.record(Evidence::Http(exchange));
        answer.into_reply(&self.surface, &request, correlation_id, elapsed)
    }

    async fn ask(&self, request: &Request) -> Answer {
        let mut answer = Answer::default();
        let patience = StallAwareDeadline::new(request.deadline);
        answer.broken = match patience.bear(self.read(request, &mut answer)).await {
            Some(read) => read.err(),
            None => Some(Broken::Late),
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
