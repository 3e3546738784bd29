//! Document growth: what a document costs grows with its length, not with the square of its length.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::PowerLaw;
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
            .alone_with_workers(1)
            .measures(),
        check!(traffic_grows_with_the_document, LINKS)
            .requires([Http, Processes, Links])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The pages of the documents that are compared, after one of a single page.
const PAGES: [usize; 5] = [20, 40, 80, 160, 480];

/// The lengths between which the cost of a page is compared.
const COMPARED: [usize; 3] = [1, 3, 4];

/// How many times as much a page may cost in the longest document as in the shorter ones. It costs as much where
/// the cost is proportional to the length, and 3.2 times as much where it grows with the square.
const TIMES: f64 = 2.0;

/// The same for bytes, which do not depend on the machine.
const TIMES_THE_BYTES: f64 = 1.6;

/// The smallest increment that can be told from none: a tick of the processor's clock, or ten kilobytes.
const SMALLEST: f64 = 10.0;

/// How often each document is processed. The least cost counts: other work only adds to it.
const TRIES: usize = 2;

/// The processor time of the longest document below which its growth does not matter.
const MATTERS: Duration = Duration::from_millis(400);

/// The processor time of a document is about proportional to its length.
async fn processor_time_grows_with_the_document(cx: &Context) -> CheckResult {
    process(cx, 1).await?;
    two_looks(async || {
        let mut costs = Vec::new();
        for pages in PAGES {
            costs.push(processor_time(cx, pages).await?.as_secs_f64() * 1e3);
        }
        let longest = costs.last().copied().unwrap_or(0.0);
        let shortest = processor_time(cx, 1).await?.as_secs_f64() * 1e3;
        let times = observed_growth(cx, ("processor time", "ms of processor time"), shortest, &costs);
        measured(cx, "growth of processor time", "times", Better::Lower, times);
        let each = longest / as_float(PAGES[4]);
        gated(cx, "processor per page", "ms", Better::Lower, each);
        let matters = longest > MATTERS.as_secs_f64() * 1e3;
        Ok((matters && times > TIMES).then(|| {
            format!(
                "a page of a long document takes {times:.1} times the processor time of a page of a short one: \
                 {} ms for {PAGES:?} pages",
                list(&costs)
            )
        }))
    })
    .await
}

/// The processor time of the workers for a document of this many pages.
async fn processor_time(cx: &Context, pages: usize) -> CheckResult<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let before = ProcessorTime::now(cx)?;
        process(cx, pages).await?;
        least = least.min(ProcessorTime::now(cx)?.since(&before).workers);
    }
    Ok(least)
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
    let sent = async |pages| {
        let before = cx.link(case.link)?.traffic().sent;
        process(cx, pages).await?;
        let sent = cx.link(case.link)?.traffic().sent - before;
        CheckResult::Ok(as_float(
            usize::try_from(sent / 1_000).unwrap_or(usize::MAX),
        ))
    };
    let shortest = sent(1).await?;
    let mut costs = Vec::new();
    for pages in PAGES {
        costs.push(sent(pages).await?);
    }
    let what = format!("bytes {}", case.name);
    let times = observed_growth(cx, (&what, "kB"), shortest, &costs);
    let name = format!("growth of {what}");
    measured(cx, &name, "times", Better::Lower, times);
    ensure!(
        times <= TIMES_THE_BYTES,
        "for a page of a long document, workers send {times:.1} times the bytes {} of a page of a short one: \
         {} kB for {PAGES:?} pages",
        case.name.replace('_', " "),
        list(&costs)
    );
    Ok(())
}

/// How many times as much a page costs in the longest document, recorded with its values and with the exponent of the
/// growth, which is gated.
fn observed_growth(cx: &Context, (what, unit): (&str, &str), shortest: f64, costs: &[f64]) -> f64 {
    let times = growth_of(costs);
    let law = exponent_of(shortest, costs);
    let text = law.map_or_else(String::new, |law| {
        let (low, high) = law.interval;
        let exponent = law.exponent;
        let name = format!("exponent of {what}");
        gated(
            cx,
            &name,
            "(1: in proportion, 2: square)",
            Better::Lower,
            exponent,
        );
        format!("; the exponent of the growth is {exponent:.2} ({low:.2} to {high:.2})")
    });
    let value = json!({
        "pages": PAGES,
        "unit": unit,
        "one_page": shortest,
        "costs": costs,
        "times": times,
        "exponent": law.map(|law| json!({ "value": law.exponent, "interval": law.interval })),
    });
    let summary = format!("{} {unit} for {PAGES:?} pages{text}", list(costs));
    cx.observe("growth", summary, value);
    times
}

/// The exponent with which the cost grows with the pages after the first, whose cost every document has.
fn exponent_of(shortest: f64, costs: &[f64]) -> Option<PowerLaw> {
    let pairs = PAGES.iter().zip(costs);
    let pairs = pairs.map(|(pages, cost)| (as_float(pages - 1), (cost - shortest).max(SMALLEST)));
    PowerLaw::fit(&pairs.collect::<Vec<_>>())
}

/// How many times as much a page costs in the longest document as in the shorter ones.
///
/// Only increments count: what every document costs, whatever its length, is in all of the costs.
fn growth_of(costs: &[f64]) -> f64 {
    let per_page = |from: usize, to: usize| {
        (costs[to] - costs[from]).max(SMALLEST) / as_float(PAGES[to] - PAGES[from])
    };
    let [short, middle, long] = COMPARED;
    per_page(middle, long) / per_page(short, middle)
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

    fn growth(cost: impl Fn(f64) -> f64) -> f64 {
        growth_of(&PAGES.map(as_float).map(cost))
    }

    #[test]
    fn a_fixed_cost_does_not_count() {
        for fixed in [0.0, 50.0, 500.0] {
            assert!((growth(|length| fixed + 3.0 * length) - 1.0).abs() < 0.01);
            assert!((growth(|length| fixed + 0.01 * length * length) - 3.2).abs() < 0.01);
            let mixed = growth(|length| fixed + length + 0.01 * length * length);
            assert!(mixed > TIMES, "{mixed}");
        }
        assert!(growth(|_| 100.0) < 1.0);
    }

    #[test]
    fn the_exponent_does_not_count_what_every_document_costs() {
        let exponent = |power: f64| {
            let cost = |pages: usize| 500.0 + 20.0 * as_float(pages - 1).powf(power);
            exponent_of(cost(1), &PAGES.map(cost)).unwrap().exponent
        };
        for power in [1.0, 1.5, 2.0] {
            assert!((exponent(power) - power).abs() < 1e-6);
        }
    }
}
