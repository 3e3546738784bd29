//! Soak: under a constant, light load, what the processes hold does not grow with time.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::inputs::SOAK_SECONDS;
use cutover_harness::prelude::*;
use cutover_suite_support::held::{Held, MEMORY, Quantity};
use cutover_suite_support::own_database::pass;
use futures::future::{join, try_join_all};

use crate::leaks::{held_after, series_of, text_of};
use crate::measured::{Better, as_float, measured};
use crate::requests::Asked;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(nothing_grows_with_time)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(LENGTH)
            .timeout(LONGEST)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The length of the soak, unless the profile sets `soak`.
const LENGTH: Duration = secs(9);

/// What the longest soak may take.
const LONGEST: Duration = secs(7_200);

/// How often what is held is read, and how many times the distance of two readings pools and caches have to fill.
const ROUNDS: u32 = 12;
const FIRST_ROUNDS: u32 = 2;

/// The requests of each kind per second, their connections, and the pause between documents.
const PER_SECOND: f64 = 5.0;
const CONNECTIONS: usize = 2;
const BETWEEN_DOCUMENTS: Duration = secs(3);

/// How much more has to be held at the end than at the beginning, in bytes of memory and in other quantities.
const MEMORY_GROWTH: u64 = 24 << 20;
const GROWTH: u64 = 8;

/// The share of pairs of readings of which the later one is larger. A quantity that changes at random has a half.
const RISING: f64 = 0.9;

/// Nothing that the processes hold grows with time, although they do little.
async fn nothing_grows_with_time(cx: &Context) -> CheckResult {
    let length: Option<f64> = cx.parameter(SOAK_SECONDS)?;
    let length = length.map_or(LENGTH, Duration::from_secs_f64);
    let asked = Asked::new(cx).await?;
    let (load, held) = join(light_load(cx, &asked, length), readings(cx, length)).await;
    load?;
    let held = held?;
    let quantities = held.first().into_iter().flatten();
    let growing: Vec<_> = quantities
        .filter_map(|quantity| growth(cx, quantity, &series_of(&held, quantity), length))
        .collect();
    ensure!(
        growing.is_empty(),
        "the processes hold more as time passes, under a light load of {} s: {}",
        length.as_secs(),
        growing.join("; ")
    );
    Ok(())
}

/// What is held, at equal distances.
async fn readings(cx: &Context, length: Duration) -> CheckResult<Vec<Vec<Quantity>>> {
    let distance = length / (ROUNDS + FIRST_ROUNDS);
    pass(cx, "pools and caches fill", distance * FIRST_ROUNDS).await?;
    let mut held = vec![Held::now(cx).await?.quantities()];
    for _ in 0..ROUNDS {
        pass(cx, "time passes", distance).await?;
        let before = held.last().map(Vec::as_slice).unwrap_or_default();
        held.push(held_after(cx, before).await?);
    }
    Ok(held)
}

/// Requests of each kind at a low rate, each on a few connections that stay open, and documents now and then.
async fn light_load(cx: &Context, asked: &Asked<'_>, length: Duration) -> CheckResult {
    let kinds: Vec<_> = asked.kinds().collect();
    let loads = kinds
        .iter()
        .map(|kind| asked.open_on(CONNECTIONS, *kind, PER_SECOND, length));
    let documents = async {
        let began = Instant::now();
        while began.elapsed() < length {
            cx.pipeline()?.complete(&cx.document().build()).await?;
            pass(
                cx,
                "nobody uploads for a while",
                BETWEEN_DOCUMENTS.min(length),
            )
            .await?;
        }
        Ok::<_, Stop>(())
    };
    let (loads, documents) = join(try_join_all(loads), documents).await;
    loads?;
    documents
}

/// Records by how much a quantity grows in an hour; what it is if it grows for certain.
fn growth(cx: &Context, quantity: &Quantity, series: &[u64], length: Duration) -> Option<String> {
    let more = series.last()?.saturating_sub(*series.first()?);
    if quantity.what == MEMORY {
        let per_hour = as_float(more) / 1e6 * 3_600.0 / length.as_secs_f64();
        let name = format!("memory growth of {} per hour", quantity.holder);
        measured(cx, &name, "MB", Better::Lower, per_hour);
    }
    let least = if quantity.what == MEMORY {
        MEMORY_GROWTH
    } else {
        GROWTH
    };
    (more >= least && rising(series) >= RISING).then(|| text_of(quantity, series))
}

/// The share of pairs of readings of which the later one is larger (the statistic of the trend test by Mann and
/// Kendall, as a share).
fn rising(series: &[u64]) -> f64 {
    let pairs = || {
        let earlier = series.iter().enumerate();
        earlier.flat_map(|(at, first)| series[at + 1..].iter().map(move |later| (first, later)))
    };
    let rises = pairs().filter(|(first, later)| later > first).count();
    as_float(rises as u64) / as_float(pairs().count().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_only_rises_has_the_share_one() {
        assert!((rising(&[1, 2, 3, 4]) - 1.0).abs() < 1e-9);
        assert!(rising(&[4, 4, 4]) < 1e-9);
        assert!((rising(&[1, 3, 2]) - 2.0 / 3.0).abs() < 1e-9);
        assert!(rising(&[]) < 1e-9 && rising(&[7]) < 1e-9);
    }
}
