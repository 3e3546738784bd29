//! Document growth: what a document costs grows with its length, not with the square of its length.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::fault::LinkName;
use cutover_harness::prelude::*;
use serde_json::json;

use crate::looks::two_looks;
use crate::measured::{Better, measured};
use crate::processor::ProcessorTime;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(processor_time_grows_with_the_document)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(traffic_grows_with_the_document, LINKS)
            .requires([Http, Processes, Links])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The pages of the documents that are compared: each is twice as long as the one before.
const PAGES: [usize; 4] = [40, 80, 160, 320];

/// The exponent of the growth: 1 where the cost is proportional to the length, 2 where it grows with the square.
const EXPONENT: f64 = 1.5;

/// The processor time of the longest document below which its growth does not matter.
const MATTERS: Duration = Duration::from_millis(400);

/// The processor time of a document is about proportional to its length.
async fn processor_time_grows_with_the_document(cx: &Context) -> CheckResult {
    process(cx, 1).await?;
    two_looks(async || {
        let mut costs = Vec::new();
        for pages in PAGES {
            let before = ProcessorTime::now(cx)?;
            process(cx, pages).await?;
            let used = ProcessorTime::now(cx)?.since(&before);
            costs.push(used.workers.as_secs_f64() * 1e3);
        }
        let longest = costs.last().copied().unwrap_or(0.0);
        let exponent = observed_exponent(cx, "ms of processor time", &costs);
        measured(cx, "growth of processor time", "exponent", Better::Lower, exponent);
        measured(cx, "processor per page", "ms", Better::Lower, longest / as_float(PAGES[3]));
        let matters = longest > MATTERS.as_secs_f64() * 1e3;
        Ok((matters && exponent > EXPONENT).then(|| {
            format!(
                "the processor time of a document grows with its length to the power of {exponent:.1}: \
                 {} ms for {PAGES:?} pages",
                list(&costs)
            )
        }))
    })
    .await
}

/// A link whose bytes are counted.
pub(super) struct Link {
    name: &'static str,
    link: LinkName,
}

impl Named for Link {
    fn name(&self) -> &'static str {
        self.name
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.link)
    }
}

const LINKS: &[Link] = &[
    Link {
        name: "to_the_database",
        link: LinkName::WorkerToDatabase,
    },
    Link {
        name: "to_the_embedder",
        link: LinkName::WorkerToEmbedder,
    },
];

/// The bytes that workers send for a document are about proportional to its length.
async fn traffic_grows_with_the_document(cx: &Context, case: &Link) -> CheckResult {
    process(cx, 1).await?;
    let mut costs = Vec::new();
    for pages in PAGES {
        let before = cx.link(case.link)?.traffic().sent;
        process(cx, pages).await?;
        let sent = cx.link(case.link)?.traffic().sent - before;
        costs.push(as_float(
            usize::try_from(sent / 1_000).unwrap_or(usize::MAX),
        ));
    }
    let exponent = observed_exponent(cx, "kB", &costs);
    measured(
        cx,
        &format!("growth of bytes {}", case.name),
        "exponent",
        Better::Lower,
        exponent,
    );
    ensure!(
        exponent <= EXPONENT,
        "the bytes that workers send {} for a document grow with its length to the power of {exponent:.1}: {} kB for {PAGES:?} pages",
        case.name.replace('_', " "),
        list(&costs)
    );
    Ok(())
}

/// The exponent of the growth, recorded with its values.
fn observed_exponent(cx: &Context, unit: &str, costs: &[f64]) -> f64 {
    let exponent = exponent_of(&PAGES.map(as_float), costs);
    let value = json!({ "pages": PAGES, "unit": unit, "costs": costs, "exponent": exponent });
    cx.observe(
        "growth",
        format!("{} {unit} for {PAGES:?} pages", list(costs)),
        value,
    );
    exponent
}

/// The slope of the line through the logarithms, by least squares, of what is more than the first cost.
///
/// What every document costs, whatever its length, hides the growth; the first cost has all of it.
fn exponent_of(lengths: &[f64], costs: &[f64]) -> f64 {
    let pairs = lengths.iter().zip(costs).skip(1);
    let points: Vec<(f64, f64)> = pairs
        .map(|(length, cost)| (length - lengths[0], (cost - costs[0]).max(1.0)))
        .map(|(length, cost)| (length.ln(), cost.ln()))
        .collect();
    let count = as_float(points.len());
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    let variance: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    covariance / variance
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_float(count: usize) -> f64 {
    count as f64
}

fn list(costs: &[f64]) -> String {
    let texts: Vec<_> = costs.iter().map(|cost| format!("{cost:.0}")).collect();
    texts.join(", ")
}

/// Processes a document of this many pages.
async fn process(cx: &Context, pages: usize) -> CheckResult {
    let document = cx.document().pages(pages).paragraphs(1).build();
    cx.pipeline()?.complete(&document).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponent(cost: impl Fn(f64) -> f64) -> f64 {
        let lengths = PAGES.map(as_float);
        exponent_of(&lengths, &lengths.map(cost))
    }

    #[test]
    fn the_exponent_is_that_of_the_growth_beside_a_fixed_cost() {
        for fixed in [0.0, 50.0, 500.0] {
            assert!((exponent(|length| fixed + 3.0 * length) - 1.0).abs() < 0.01);
            let square = exponent(|length| fixed + 0.01 * length * length);
            assert!((1.5..1.9).contains(&square), "{square}");
            let mixed = exponent(|length| fixed + 3.0 * length + 0.03 * length * length);
            assert!(mixed > 1.3, "{mixed}");
        }
        assert!(exponent(|_| 100.0) < 0.1);
    }
}
