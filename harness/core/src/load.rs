//! Sends a load from a check: many requests at given times, which the evidence sums up.

use std::time::Instant;

use cutover_evidence::stop::{CheckResult, Stop};
use cutover_load::{Load, Pacer, Report};
use cutover_reports::record::Observation;
use serde_json::json;

use crate::context::Context;
use crate::resources::{Sampler, Timeline, Work, summary};
use cutover_contract::probe::Request;

/// Stops a load when its check ends early.
struct StopOnDrop(cutover_load::Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.ask();
    }
}

/// A request of a check as the load generator sends it.
///
/// # Errors
/// If its address has TLS, which the load generator does not speak, or cannot be resolved.
pub fn load_request(request: &Request) -> CheckResult<cutover_load::Request> {
    let url = request.url();
    if url.scheme() != "http" {
        let reason = format!(
            "the load generator speaks HTTP without TLS, not '{}'",
            url.scheme()
        );
        return Err(Stop::not_applicable(reason));
    }
    let mut built = cutover_load::Request::get(url.as_str())
        .and_then(|load| load.method(request.method().as_str()))
        .map_err(anyhow::Error::from)?;
    for (name, value) in request.headers() {
        let value = value.to_str().map_err(anyhow::Error::from)?;
        let line = format!("{name}: {value}");
        built = built.header(&line).map_err(anyhow::Error::from)?;
    }
    Ok(built.body(request.bytes().to_vec()))
}

impl Context {
    /// Sends each request of a load when it is due.
    pub async fn open_load(
        &self,
        what: &str,
        load: Load,
        pacer: Box<dyn Pacer + Send>,
    ) -> CheckResult<Report> {
        self.run_load(what, move |stop| load.open(&*pacer, stop))
            .await
    }

    /// Sends the next request on each connection of a load as soon as the last was answered.
    pub async fn closed_load(
        &self,
        what: &str,
        load: Load,
        duration: std::time::Duration,
    ) -> CheckResult<Report> {
        self.run_load(what, move |stop| load.closed(duration, stop))
            .await
    }

    async fn run_load(
        &self,
        what: &str,
        run: impl FnOnce(&cutover_load::Stop) -> Result<Report, cutover_load::LoadError>
        + Send
        + 'static,
    ) -> CheckResult<Report> {
        let guard = StopOnDrop(cutover_load::Stop::default());
        let stop = guard.0.clone();
        let (number, sampler) = self.load_begins();
        let report = tokio::task::spawn_blocking(move || run(&stop)).await;
        let timeline = finished(sampler).await;
        let is_alone = self.load_ended(number);
        let report = report
            .map_err(anyhow::Error::from)?
            .map_err(anyhow::Error::from)?;
        let total = report.total().map_err(anyhow::Error::from)?;
        let quantile = |share| {
            total
                .response
                .quantile(share)
                .map(|quantile| quantile.to_string())
        };
        let work = Work {
            report: Some(&report),
            documents: 0,
            elapsed: report.elapsed,
            is_alone,
        };
        let value = json!({
            "account": total.account,
            "response": { "p50": quantile(0.5), "p95": quantile(0.95), "p99": quantile(0.99) },
            "resources": timeline.as_ref().map(|timeline| summary(timeline, work)),
            // With the histograms of each second and phase, which can be merged.
            "report": report,
            "generator_lag_p99": total.generator_lag.quantile(0.99).map(|quantile| quantile.to_string()),
        });
        self.observe("load", what, value);
        self.observe_timeline(what, timeline)?;
        Ok(report)
    }

    /// Runs a load of documents: all of these are complete when it ends with success.
    pub async fn document_load<T>(
        &self,
        what: &str,
        documents: u32,
        load: impl Future<Output = CheckResult<T>>,
    ) -> CheckResult<T> {
        let began = Instant::now();
        let (number, sampler) = self.load_begins();
        let done = load.await;
        let elapsed = began.elapsed();
        let timeline = finished(sampler).await;
        let work = Work {
            report: None,
            documents: documents.into(),
            elapsed,
            is_alone: self.load_ended(number),
        };
        let done = done?;
        let value = json!({
            "documents": documents,
            "elapsed_s": elapsed.as_secs_f64(),
            "resources": timeline.as_ref().map(|timeline| summary(timeline, work)),
        });
        self.observe("load", what, value);
        self.observe_timeline(what, timeline)?;
        Ok(done)
    }

    fn observe_timeline(&self, what: &str, timeline: Option<Timeline>) -> CheckResult {
        if let Some(timeline) = timeline {
            let timeline = serde_json::to_value(timeline).map_err(anyhow::Error::from)?;
            self.observe(Observation::RESOURCES, what, timeline);
        }
        Ok(())
    }
}

/// What was sampled, if anything was.
async fn finished(sampler: Option<Sampler>) -> Option<Timeline> {
    match sampler {
        Some(sampler) => Some(sampler.finish().await),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_request_with_tls_is_not_applicable() {
        let url = Url::parse("https://127.0.0.1/jobs").unwrap();
        let refused = load_request(&Request::get(url)).unwrap_err();
        assert!(refused.summary().contains("without TLS"), "{refused:?}");
    }

    #[test]
    fn a_load_sends_what_the_check_would_send() {
        let url = Url::parse("http://127.0.0.1:1/jobs?limit=2").unwrap();
        let request = Request::post(url)
            .header("x-test", "1")
            .json(&json!({ "a": 1 }));
        let load = format!("{:?}", load_request(&request).unwrap());
        for part in [
            "127.0.0.1:1",
            "POST",
            "/jobs?limit=2",
            "x-test",
            "application/json",
        ] {
            assert!(load.contains(part), "{part} is missing: {load}");
        }
    }
}
