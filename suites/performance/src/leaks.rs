//! Leaks: what the processes hold does not grow with the requests and the documents that they have served.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_suite_support::held::{Held, MEMORY, Quantity};
use cutover_suite_support::own_database::pass;
use futures::future::try_join_all;

use crate::measured::{Better, measured, megabytes};
use crate::requests::Asked;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    let alone = |check: Check| {
        check
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(6))
            .severity(High)
            .alone_with_workers(1)
    };
    vec![
        alone(check!(nothing_grows_with_requests)),
        alone(check!(nothing_grows_with_documents)),
    ]
}

/// How often what is held is compared. A leak grows each time; what is loaded once, or pooled, does not.
const ROUNDS: usize = 4;

/// The requests of each kind in a round.
const PER_SECOND: f64 = 120.0;
const ROUND: Duration = Duration::from_millis(500);

/// The documents in a round.
const DOCUMENTS: usize = 6;

/// By how much more a quantity has to grow in every round to be a leak.
const GROWTH: u64 = 3;

/// The same in bytes of memory, for requests and for documents.
const REQUEST_MEMORY: u64 = 3 << 20;
const DOCUMENT_MEMORY: u64 = 6 << 20;

/// No process holds more files, threads, memory or sessions with each round of requests.
async fn nothing_grows_with_requests(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let round = async || -> CheckResult {
        let kinds: Vec<_> = asked.kinds().collect();
        try_join_all(
            kinds
                .into_iter()
                .map(|kind| asked.open(kind, PER_SECOND, ROUND)),
        )
        .await?;
        Ok(())
    };
    let grown = grows_with(cx, round, "requests", REQUEST_MEMORY).await?;
    expect_none(&grown, "requests")
}

/// No process holds more files, threads, memory or sessions with each round of documents.
async fn nothing_grows_with_documents(cx: &Context) -> CheckResult {
    let round = async || -> CheckResult {
        let documents = (0..DOCUMENTS).map(async |_| -> CheckResult {
            cx.pipeline()?.complete(&cx.document().build()).await?;
            Ok(())
        });
        try_join_all(documents).await?;
        Ok(())
    };
    let grown = grows_with(cx, round, "documents", DOCUMENT_MEMORY).await?;
    expect_none(&grown, "documents")
}

fn expect_none(grown: &[String], with: &str) -> CheckResult {
    ensure!(
        grown.is_empty(),
        "the processes hold more with each of {ROUNDS} rounds of {with}: {}",
        grown.join("; ")
    );
    Ok(())
}

/// How long what was used may take to be given back, and how often that is looked at.
const GIVEN_BACK_WITHIN: Duration = secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What is held, once no more than before; the last reading if that takes too long. On a busy machine, connections are
/// closed some time after their last request.
pub(crate) async fn held_after(cx: &Context, before: &[Quantity]) -> CheckResult<Vec<Quantity>> {
    let began = Instant::now();
    loop {
        let held = Held::now(cx).await?.quantities();
        let is_more = |now: &Quantity| {
            let mut others = before.iter();
            let same = others.find(|then| then.holder == now.holder && then.what == now.what);
            now.what != MEMORY && same.is_some_and(|then| now.amount >= then.amount + GROWTH)
        };
        if !held.iter().any(is_more) || began.elapsed() >= GIVEN_BACK_WITHIN {
            return Ok(held);
        }
        pass(cx, "what was used is given back", BETWEEN_LOOKS).await?;
    }
}

/// The quantities that grow in every round, with their amounts.
///
/// Memory that grows is looked at a second time: an allocator keeps what a busy process has given back, and needs less
/// and less of the system. A leak goes on.
async fn grows_with(
    cx: &Context,
    round: impl AsyncFn() -> CheckResult,
    with: &str,
    memory: u64,
) -> CheckResult<Vec<String>> {
    // What is loaded at first stays.
    round().await?;
    let first = readings(cx, &round).await?;
    record_memory(cx, &first, with);
    let mut growing = growing(&first, memory);
    if growing.iter().any(|quantity| quantity.what == MEMORY) {
        let second = readings(cx, &round).await?;
        growing.retain(|quantity| {
            quantity.what != MEMORY || goes_on(quantity, &first, &second, memory)
        });
    }
    let text = |quantity: &Quantity| text_of(quantity, &series_of(&first, quantity));
    Ok(growing.into_iter().map(text).collect())
}

/// What is held before the first round and after each.
async fn readings(
    cx: &Context,
    round: &impl AsyncFn() -> CheckResult,
) -> CheckResult<Vec<Vec<Quantity>>> {
    let mut held = vec![Held::now(cx).await?.quantities()];
    for _ in 0..ROUNDS {
        round().await?;
        let before = held.last().map(Vec::as_slice).unwrap_or_default();
        held.push(held_after(cx, before).await?);
    }
    Ok(held)
}

/// Records by how much the memory of each process grows.
fn record_memory(cx: &Context, held: &[Vec<Quantity>], with: &str) {
    let quantities = held.first().into_iter().flatten();
    for quantity in quantities.filter(|quantity| quantity.what == MEMORY) {
        let name = format!("memory growth of {} with {with}", quantity.holder);
        let more = growth(&series_of(held, quantity));
        measured(cx, &name, "MB", Better::Lower, megabytes(more));
    }
}

/// The quantities that grow in every round.
fn growing(held: &[Vec<Quantity>], memory: u64) -> Vec<&Quantity> {
    let quantities = held.first().into_iter().flatten();
    let grows = |quantity: &&Quantity| {
        let more = if quantity.what == MEMORY {
            memory
        } else {
            GROWTH
        };
        let series = series_of(held, quantity);
        series.windows(2).all(|pair| pair[1] >= pair[0] + more)
    };
    quantities.filter(grows).collect()
}

/// Whether a quantity grows in every round of the second readings, too, and by half as much at least.
fn goes_on(
    quantity: &Quantity,
    first: &[Vec<Quantity>],
    second: &[Vec<Quantity>],
    memory: u64,
) -> bool {
    let is_same =
        |other: &&Quantity| other.holder == quantity.holder && other.what == quantity.what;
    let grows = growing(second, memory).iter().any(is_same);
    grows && growth(&series_of(second, quantity)) >= growth(&series_of(first, quantity)) / 2
}

/// By how much more there is at the end.
fn growth(series: &[u64]) -> u64 {
    let ends = series.last().zip(series.first());
    ends.map_or(0, |(last, first)| last.saturating_sub(*first))
}

/// The amounts of a quantity, reading by reading. A process that is gone has none.
pub(crate) fn series_of(held: &[Vec<Quantity>], of: &Quantity) -> Vec<u64> {
    let same = |quantity: &&Quantity| quantity.holder == of.holder && quantity.what == of.what;
    let amounts = held.iter().filter_map(|all| all.iter().find(same));
    amounts.map(|quantity| quantity.amount).collect()
}

/// What a process holds, reading by reading.
pub(crate) fn text_of(quantity: &Quantity, series: &[u64]) -> String {
    let is_memory = quantity.what == MEMORY;
    let amount = |amount: &u64| {
        if is_memory {
            format!("{:.0}", megabytes(*amount))
        } else {
            amount.to_string()
        }
    };
    let what = if is_memory {
        "MB of memory"
    } else {
        quantity.what
    };
    let amounts: Vec<_> = series.iter().map(amount).collect();
    format!("{} has {} {what}", quantity.holder, amounts.join(", "))
}
