//! Samples the metrics route of a target on the clock of a load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cutover_contract::probe::RequestGate;
use tokio::time::{Instant, timeout};
use url::Url;

use super::clock::Clock;
use super::prometheus;
use super::readings::Readings;
use super::series::{Kind, NotSampled, SeriesSet};

/// The time that an answer may take.
const TIMEOUT: Duration = Duration::from_millis(400);

/// The longest answer in bytes.
const LONGEST: usize = 1 << 20;

/// The most series that are kept: the first ones of the page.
const MOST_SERIES: usize = 64;

/// The route is asked for at most one part in this of the time: the metrics of some pipelines are costly.
const PART: u32 = 10;

/// After this many failures without a success, the route is not asked again.
const FAILURES: u32 = 3;

/// The metrics route of a target.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// The client.
    pub client: reqwest::Client,
    /// The URL.
    pub url: Url,
    /// What limits the requests to an attached target.
    pub gate: Option<Arc<dyn RequestGate>>,
}

impl Metrics {
    /// The page; why there is none.
    async fn page(&self) -> Result<String, String> {
        if let Some(gate) = &self.gate {
            // The answer is not counted: a sound metrics route does not show that requests succeed.
            gate.admit(0).await;
        }
        let read = timeout(TIMEOUT, self.read()).await;
        read.unwrap_or_else(|_| Err(format!("no answer in {} ms", TIMEOUT.as_millis())))
    }

    async fn read(&self) -> Result<String, String> {
        let request = self
            .client
            .get(self.url.clone())
            .header("accept", "text/plain");
        let mut response = request.send().await.map_err(|_| "no answer".to_owned())?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|_| "half an answer".to_owned())?
        {
            if body.len() + chunk.len() > LONGEST {
                return Err(format!("an answer of more than {LONGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// The series of a page, limited in number.
#[derive(Debug, Default)]
struct Pages {
    set: SeriesSet,
    kept: BTreeSet<String>,
    others: BTreeSet<String>,
}

impl Pages {
    fn add(&mut self, at: Duration, page: &str) {
        let mut seen = BTreeSet::new();
        let mut values: Vec<(String, Kind, f64)> = Vec::new();
        for (name, kind, value) in prometheus::parse(page) {
            let has_room = self.kept.len() < MOST_SERIES;
            if has_room {
                self.kept.insert(name.clone());
            }
            if !self.kept.contains(&name) {
                self.others.insert(name);
            } else if seen.insert(name.clone()) {
                values.push((format!("metric {name}"), kind, value));
            }
        }
        self.set.add(at, values);
    }

    fn finish(self, failure: Option<String>) -> Readings {
        let mut not_sampled = Vec::new();
        if self.kept.is_empty() {
            let why = failure.unwrap_or_else(|| "the page has no gauge and no counter".to_owned());
            not_sampled.push(NotSampled::new("metrics", format!("routes.metrics: {why}")));
        }
        if !self.others.is_empty() {
            let what = format!("{} more metrics", self.others.len());
            let reason = format!("the first {MOST_SERIES} of the page are sampled");
            not_sampled.push(NotSampled::new(what, reason));
        }
        Readings {
            series: self.set.finish(),
            not_sampled,
            ..Readings::default()
        }
    }
}

/// Samples the metrics until the load has ended.
pub(super) async fn sample(metrics: Metrics, mut clock: Clock) -> Readings {
    let mut pages = Pages::default();
    let (mut from, mut failures, mut failure) = (Duration::ZERO, 0, None);
    while let Some(at) = clock.tick().await {
        if at < from {
            continue;
        }
        let began = Instant::now();
        match metrics.page().await {
            Ok(page) => pages.add(at, &page),
            Err(_) if !pages.kept.is_empty() => {}
            Err(why) => {
                failures += 1;
                failure = Some(why);
                if failures == FAILURES {
                    break;
                }
            }
        }
        from = at + began.elapsed() * PART;
    }
    pages.finish(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_series_is_limited_and_the_others_are_named() {
        let line = |n: usize| format!("requests{{route=\"{n}\"}} {n}\n");
        let page = |count: usize| {
            "# TYPE requests counter\n".to_owned() + &(0..count).map(line).collect::<String>()
        };
        let mut pages = Pages::default();
        pages.add(Duration::ZERO, &page(60));
        pages.add(Duration::from_secs(1), &page(70));
        let sampled = pages.finish(None);
        assert_eq!(sampled.series.len(), MOST_SERIES);
        assert_eq!(sampled.series[0].samples.len(), 2);
        assert_eq!(sampled.series[63].samples.len(), 1);
        assert_eq!(sampled.not_sampled[0].what, "6 more metrics");
    }

    #[test]
    fn a_page_that_repeats_a_series_counts_once() {
        let mut pages = Pages::default();
        pages.add(Duration::ZERO, "# TYPE a gauge\na 1\na 2\n");
        assert_eq!(pages.finish(None).series[0].samples, [(0.0, 1.0)]);
    }

    #[tokio::test]
    async fn a_route_that_never_answers_is_named_and_left_alone() {
        let metrics = Metrics {
            client: cutover_contract::probe::client().unwrap(),
            url: Url::parse("http://127.0.0.1:1/metrics").unwrap(),
            gate: None,
        };
        let (_end, clock) = Clock::start();
        // The load goes on, and the route is not asked any more.
        let sampled = sample(metrics, clock).await;
        assert_eq!(sampled.series, []);
        assert_eq!(
            sampled.not_sampled[0].reason,
            "not sampled: routes.metrics: no answer"
        );
    }
}
