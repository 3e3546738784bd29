//! Document growth: what a document costs grows with its length, not with the square of its length.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::fault::LinkName;
use cutover_harness::prelude::*;
use serde_json::json;

use crate::looks::two_looks;
use crate::measured::{Better, gated, measured};
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
const EXPONENT: f64 = 1.4;

/// The smallest increment that can be told from none: a tick of the processor's clock, or ten kilobytes.
const SMALLEST: f64 = 10.0;

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
        gated(cx, "processor per page", "ms", Better::Lower, longest / as_float(PAGES[3]));
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
    let exponent = exponent_of(costs);
    let value = json!({ "pages": PAGES, "unit": unit, "costs": costs, "exponent": exponent });
    cx.observe(
        "growth",
        format!("{} {unit} for {PAGES:?} pages", list(costs)),
        value,
    );
    exponent
}

/// The exponent of the growth, from the costs of documents of which each is twice as long as the one before.
///
/// A cost of `a + b * length^p` grows by `2^p` times as much with each doubling as with the one before; what
/// every document costs, whatever its length, does not count.
fn exponent_of(costs: &[f64]) -> f64 {
    let increments: Vec<f64> = costs
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).max(SMALLEST))
        .collect();
    let (Some(first), Some(last)) = (increments.first(), increments.last()) else {
        return 0.0;
    };
    (last / first).log2() / as_float(increments.len() - 1)
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
        exponent_of(&PAGES.map(as_float).map(cost))
    }

    #[test]
    fn the_exponent_is_that_of_the_growth_beside_a_fixed_cost() {
        for fixed in [0.0, 50.0, 500.0] {
            assert!((exponent(|length| fixed + 3.0 * length) - 1.0).abs() < 0.01);
            assert!((exponent(|length| fixed + 0.01 * length * length) - 2.0).abs() < 0.1);
            let mixed = exponent(|length| fixed + length + 0.01 * length * length);
            assert!(mixed > EXPONENT, "{mixed}");
        }
        assert!(exponent(|_| 100.0) < 0.1);
    }
}
