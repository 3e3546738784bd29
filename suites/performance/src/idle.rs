//! Idle: a stack without work, or whose work waits for a provider, uses little of the processor and stores nothing.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, CallbackMoment, EmbedderBehaviour, ParserBehaviour};
use cutover_suite_support::own_database::pass;
use serde::Deserialize;

use crate::looks::two_looks;
use crate::measured::{Better, measured};
use crate::processor::ProcessorTime;
use crate::providers::{PROVIDERS, Provider};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_idle_stack_uses_little_processor, SERVICES)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(a_wait_for_a_provider_uses_little_processor, PROVIDERS)
            .requires([Http, Processes, Standins])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(an_idle_stack_stores_nothing)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// A kind of process.
pub(super) struct Kind {
    name: &'static str,
    of: fn(&ProcessorTime) -> Duration,
}

impl Named for Kind {
    fn name(&self) -> &'static str {
        self.name
    }
}

const SERVICES: &[Kind] = &[
    Kind {
        name: "of_the_api",
        of: |time| time.api,
    },
    Kind {
        name: "of_the_workers",
        of: |time| time.workers,
    },
];

/// How long a stack is measured.
const MEASURED: Duration = secs(3);

/// The share of a processor that an idle or waiting process may use. A queue that is polled every 50 ms needs far less.
const IDLE_SHARE: f64 = 0.12;

/// A process without work uses little of the processor.
async fn an_idle_stack_uses_little_processor(cx: &Context, kind: &Kind) -> CheckResult {
    cx.pipeline()?.complete(&cx.document().build()).await?;
    two_looks(async || {
        let share = busy_share(cx, kind.of, MEASURED).await?;
        measured(cx, &format!("idle processor {}", kind.name), "cores", Better::Lower, share);
        Ok((share > IDLE_SHARE).then(|| {
            let process = kind.name.replace('_', " ");
            format!("without work, the processes {process} keep {share:.2} of a processor busy; at most {IDLE_SHARE} is expected")
        }))
    })
    .await
}

/// The share of a processor that is used over this time.
async fn busy_share(
    cx: &Context,
    of: fn(&ProcessorTime) -> Duration,
    time: Duration,
) -> CheckResult<f64> {
    let (before, began) = (ProcessorTime::now(cx)?, Instant::now());
    pass(cx, "the processor time is measured", time).await?;
    let used = of(&ProcessorTime::now(cx)?.since(&before));
    Ok(used.as_secs_f64() / began.elapsed().as_secs_f64())
}

/// While documents wait for a provider, the workers use little of the processor.
async fn a_wait_for_a_provider_uses_little_processor(
    cx: &Context,
    provider: &Provider,
) -> CheckResult {
    cx.pipeline()?.complete(&cx.document().build()).await?;
    two_looks(async || {
        let share = waiting_share(cx, provider).await?;
        measured(
            cx,
            &format!("waiting processor {}", provider.name()),
            "cores",
            Better::Lower,
            share,
        );
        Ok((share > IDLE_SHARE).then(|| {
            format!(
                "while a document waits for {}, the workers use {share:.2} of a processor; at most {IDLE_SHARE} is expected",
                if provider.is_embedder { "the embedder's answer" } else { "the parser's callback" }
            )
        }))
    })
    .await
}

/// The share of a processor that the workers use while a document waits for a provider.
async fn waiting_share(cx: &Context, provider: &Provider) -> CheckResult<f64> {
    let timing = &cx.contract().timing;
    let (standins, document) = (cx.standins()?, cx.document().build());
    let patience = if provider.is_embedder {
        timing.provider_timeout
    } else {
        timing.parse_deadline
    };
    let wait = patience.min(secs(4)).mul_f64(0.75);
    let delay_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let _script = if provider.is_embedder {
        let late = EmbedderBehaviour::Late { delay_ms };
        standins
            .script_embedder(document.nonce(), late)
            .times(1)
            .await?
    } else {
        let late = Callback {
            moment: CallbackMoment::Late { delay_ms },
            ..Callback::default()
        };
        let late = ParserBehaviour::calling_back(late);
        standins
            .script_parser(document.sha256(), late)
            .times(1)
            .await?
    };
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let within = timing.complete_within;
    cx.eventually("the provider is called", within, async || {
        let is_called = !provider.calls(cx, &document).await?.is_empty();
        Ok(is_called.then_some(()))
    })
    .await?;
    let share = busy_share(cx, |time| time.workers, wait.mul_f64(0.7)).await?;
    pipeline.until_complete(&accepted).await?;
    Ok(share)
}

/// How long an idle stack is watched.
const WATCHED: Duration = secs(4);

/// The rows that an idle stack may store: heartbeats that are kept are not more frequent.
const KEPT_ROWS: i64 = 8;

/// Rows that were inserted and not deleted. Sessions report what they did within a second.
const ROWS: &str =
    "SELECT coalesce(sum(n_tup_ins - n_tup_del), 0)::int8 AS kept FROM pg_stat_user_tables";

#[derive(Deserialize)]
struct Rows {
    kept: i64,
}

/// A stack without work adds no rows to its tables.
async fn an_idle_stack_stores_nothing(cx: &Context) -> CheckResult {
    cx.pipeline()?.complete(&cx.document().build()).await?;
    // What the document stored is reported late.
    pass(cx, "the document is in the statistics", secs(2)).await?;
    two_looks(async || {
        let before = kept_rows(cx).await?;
        pass(cx, "an idle stack is watched", WATCHED).await?;
        let more = kept_rows(cx).await? - before;
        Ok((more > KEPT_ROWS).then(|| {
            format!(
                "without work, the stack adds {more} rows to its tables in {} s; its database only grows",
                WATCHED.as_secs()
            )
        }))
    })
    .await
}

async fn kept_rows(cx: &Context) -> CheckResult<i64> {
    let rows: Vec<Rows> = cx.database()?.rows(ROWS, &[]).await?;
    Ok(rows.first().map_or(0, |rows| rows.kept))
}
