//! Sends requests to an HTTP surface and records every exchange, whatever its outcome.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cutover_reports::record::Evidence;

use super::client::client_builder;
use super::deadline::StallAwareDeadline;
use super::exchange::{PartialResponse, ResponseFailure};
use super::gate::RequestGate;
use super::http_error::{HttpError, MAX_BODY};
use super::request::Request;
use super::response::Response;
use cutover_evidence::journal::Recorder;

/// TCP connect timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP client of all probes.
///
/// It follows no redirects and uses no proxy, so that only the system under test is
/// measured. Every request opens a new connection. A server may close an idle
/// connection at any moment, even while the next request is in transit. The client
/// could not distinguish this from a truncated response, and could not know whether
/// the request was executed and must not be repeated.
pub fn client() -> Result<reqwest::Client, HttpError> {
    // Every check on a stack of its own opens clients, and a new client reads all CA certificates.
    // Without idle connections, one client can serve several runtimes.
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let new = new_client()?;
    Ok(CLIENT.get_or_init(|| new).clone())
}

fn new_client() -> Result<reqwest::Client, HttpError> {
    client_builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(HttpError::Client)
}

/// A probe of one HTTP surface.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    surface: String,
    recorder: Recorder,
    gate: Option<Arc<dyn RequestGate>>,
}

impl Http {
    /// A probe that sends requests through this client and records the responses.
    pub fn new(client: reqwest::Client, surface: impl Into<String>, recorder: Recorder) -> Self {
        Self {
            client,
            surface: surface.into(),
            recorder,
            gate: None,
        }
    }

    /// The same client and recorder, for another surface.
    #[must_use]
    pub fn surface(&self, surface: impl Into<String>) -> Self {
        Self {
            surface: surface.into(),
            ..self.clone()
        }
    }

    /// The same probe, with a gate that every request passes.
    #[must_use]
    pub fn gated(self, gate: Option<Arc<dyn RequestGate>>) -> Self {
        Self { gate, ..self }
    }

    /// The gate of the requests, if the run has limits.
    pub(crate) fn gate(&self) -> Option<&dyn RequestGate> {
        self.gate.as_deref()
    }

    /// The recorder of the exchanges.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Sends a request and reads the whole response.
    pub async fn send(&self, mut request: Request) -> Result<Response, HttpError> {
        let correlation_id = request.correlate();
        if let Some(gate) = &self.gate {
            gate.admit(request.body.len()).await;
        }
        let started = Instant::now();
        let response = self.exchange(&request).await;
        let elapsed = started.elapsed();
        if let Some(gate) = &self.gate {
            gate.answered(response.head.as_ref().map(|(status, _)| status.as_u16()));
        }
        let exchange = response.recorded(&self.surface, &request, &correlation_id, elapsed);
        self.recorder.record(Evidence::Http(exchange));
        response.into_response(&self.surface, &request, correlation_id, elapsed)
    }

    async fn exchange(&self, request: &Request) -> PartialResponse {
        let mut partial = PartialResponse::default();
        let deadline = StallAwareDeadline::new(request.deadline);
        partial.failure = match deadline.run(self.read(request, &mut partial)).await {
            Some(read) => read.err(),
            None => Some(ResponseFailure::TimedOut),
        };
        partial
    }

    /// Reads the response into `partial`, so that the received part survives a failure.
    async fn read(
        &self,
        request: &Request,
        partial: &mut PartialResponse,
    ) -> Result<(), ResponseFailure> {
        if let Some(header) = &request.unsendable {
            return Err(ResponseFailure::Unsendable(format!(
                "header '{header}' has an invalid name or value"
            )));
        }
        let sent = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await;
        let mut response = sent.map_err(ResponseFailure::before_headers)?;
        partial.head = Some((response.status(), response.headers().clone()));
        while let Some(chunk) = response.chunk().await.map_err(ResponseFailure::Truncated)? {
            if partial.body.len() + chunk.len() > MAX_BODY {
                return Err(ResponseFailure::TooLarge);
            }
            partial.body.extend_from_slice(&chunk);
        }
        Ok(())
    }
}
