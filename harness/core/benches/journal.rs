//! Measures the cost of the journal per check: the time to record a typical trial, median of five rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_harness::journal::Recorder;
use cutover_harness::record::{BodyExcerpt, Evidence, HttpExchange};
use cutover_harness::redact::Redactor;
use cutover_harness::secret::Secret;

/// Observations per trial. The checks of the pipeline record 5 to 60.
const OBSERVATIONS: usize = 30;
/// Trials per round.
const TRIALS: u32 = 100;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redactor = Arc::new(Redactor::default());
    // A stack has about a dozen secrets, and every tenant has a token.
    for _ in 0..40 {
        redactor.learn(&Secret::random());
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(&redactor)?);
    }
    rounds.sort_unstable();
    println!(
        "journal, per check of {OBSERVATIONS} observations: {:?} (goal: 2 ms)",
        rounds[ROUNDS / 2]
    );
    Ok(())
}

fn round(redactor: &Arc<Redactor>) -> Result<Duration, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let exchange = Evidence::Http(exchange());
    let begin = Instant::now();
    for trial in 0..TRIALS {
        let path = directory.path().join(format!("{trial}.jsonl"));
        let recorder = Recorder::to_file(&path, Arc::clone(redactor))?;
        for _ in 0..OBSERVATIONS {
            recorder.record(exchange.clone());
        }
    }
    Ok(begin.elapsed() / TRIALS)
}

/// An exchange as the probes record it.
fn exchange() -> HttpExchange {
    let header = |name: &str| (name.to_owned(), "a value of typical length".to_owned());
    HttpExchange {
        surface: "api".to_owned(),
        method: "POST".to_owned(),
        url: "http://127.0.0.1:20000/api/v2/upload".to_owned(),
        request_headers: ["accept", "authorization", "traceparent", "x-request-id"]
            .map(header)
            .into(),
        request_body: Some(body(300)),
        correlation_id: "6c8a1e6e-1f0b-4aa8-9f0a-1a7c2e6f2b42".to_owned(),
        status: Some(200),
        response_headers: ["content-type", "content-length", "x-request-id"]
            .map(header)
            .into(),
        response_body: Some(body(1_200)),
        error: None,
        elapsed_ms: 3.5,
        curl: "curl --request POST --header 'authorization: Bearer $TOKEN' …".to_owned(),
    }
}

fn body(bytes: usize) -> BodyExcerpt {
    BodyExcerpt {
        bytes: bytes as u64,
        text: "x".repeat(bytes),
        truncated: false,
    }
}
