//! Cost of waiting: whatever a job waits for, database and processor have next to nothing to do meanwhile.

use std::time::{Duration, Instant};

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackMoment, EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard,
};
use serde_json::Value;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(waiting_costs_next_to_nothing, WAITS)
            .requires([Http, Database, Standins, Processes])
            .reads([read::job::STATE])
            .effect(Effect::Fault)
            .expected_duration(secs(6))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// What jobs wait for.
pub(super) struct Wait {
    name: &'static str,
    kind: WaitKind,
    jobs: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum WaitKind {
    Nothing,
    Callback,
    Retry,
    SlowParser,
    SlowEmbedder,
}

impl Named for Wait {
    fn name(&self) -> &'static str {
        self.name
    }
}

const WAITS: &[Wait] = &[
    Wait {
        name: "for_work",
        kind: WaitKind::Nothing,
        jobs: 0,
    },
    Wait {
        name: "for_callbacks",
        kind: WaitKind::Callback,
        jobs: 8,
    },
    Wait {
        name: "for_retries",
        kind: WaitKind::Retry,
        jobs: 8,
    },
    Wait {
        name: "for_a_slow_parser",
        kind: WaitKind::SlowParser,
        jobs: 2,
    },
    // More jobs than a worker processes at once: the queue is full.
    Wait {
        name: "for_a_slow_embedder_with_a_full_queue",
        kind: WaitKind::SlowEmbedder,
        jobs: 8,
    },
];

/// How long the waiting system is observed. It is shorter than the time limit of a call to a provider.
const OBSERVED: Duration = Duration::from_millis(1_200);

/// After this time, the database statistics include earlier transactions.
const STATISTICS_DELAY: Duration = Duration::from_millis(1_100);

/// The delay of a slow provider.
const SLOW_MS: u64 = 60_000;

/// The number of transactions that one poll of the queue may take.
const PER_POLL: u64 = 3;

/// The number of transactions that leases, heartbeats and a first claim may take for each job.
const PER_JOB: u64 = 6;

/// The share of one processor that waiting may take.
const MAX_PROCESSOR_SHARE: f64 = 0.2;

/// Attempts: a busy machine delays what came before into the time that is observed.
const TRIES: usize = 3;

/// While jobs wait, transactions and processor time stay near those of an idle pipeline.
async fn waiting_costs_next_to_nothing(cx: &Context, case: &Wait) -> CheckResult {
    let mut finding = None;
    for _ in 0..TRIES {
        let scripts = begin_waiting(cx, case).await?;
        pass(cx, STATISTICS_DELAY).await?;
        finding = observe(cx, case).await?;
        for script in scripts {
            script.withdraw().await?;
        }
        if finding.is_none() {
            return Ok(());
        }
    }
    match finding {
        Some(summary) => Err(Stop::violated(Finding::new(summary))),
        None => Ok(()),
    }
}

/// Uploads documents that wait; returns when each waits.
async fn begin_waiting(cx: &Context, case: &Wait) -> CheckResult<Vec<ScriptGuard>> {
    let mut scripts = Vec::new();
    for _ in 0..case.jobs {
        let document = cx.document().build();
        scripts.push(slow_down(cx, case.kind, &document).await?);
        let pipeline = cx.pipeline()?;
        pipeline.upload(&document).await?;
    }
    let within = cx.contract().timing.complete_within;
    let busy = case.jobs.min(4);
    cx.eventually("the jobs wait", within, async || {
        let rows: Vec<Value> = cx.database()?.rows(WAITING, &[]).await?;
        let waiting = rows
            .first()
            .and_then(|row| row[case.kind.column()].as_u64());
        let waiting = usize::try_from(waiting.unwrap_or_default())?;
        Ok((case.jobs == 0 || waiting >= busy).then_some(()))
    })
    .await?;
    Ok(scripts)
}

const WAITING: &str = "SELECT count(*) FILTER (WHERE status = 'parse_queued') AS parser, \
    count(*) FILTER (WHERE state = 'retryable') AS retry, \
    count(*) FILTER (WHERE status = 'embedding_in_progress') AS embedder FROM {schema}.upload_jobs";

impl WaitKind {
    fn column(self) -> &'static str {
        match self {
            Self::Nothing | Self::Callback | Self::SlowParser => "parser",
            Self::Retry => "retry",
            Self::SlowEmbedder => "embedder",
        }
    }
}

async fn slow_down(cx: &Context, kind: WaitKind, document: &Document) -> CheckResult<ScriptGuard> {
    let standins = cx.standins()?;
    let parser = |answer, moment| ParserBehaviour {
        answer,
        callback: Callback {
            moment,
            ..Callback::default()
        },
    };
    let behaviour = match kind {
        WaitKind::SlowEmbedder => {
            let late = EmbedderBehaviour::Late { delay_ms: SLOW_MS };
            return Ok(standins.script_embedder(document.nonce(), late).await?);
        }
        WaitKind::Nothing | WaitKind::Callback => {
            parser(ParserAnswer::Accept, CallbackMoment::Never)
        }
        WaitKind::Retry => {
            let refusal = ParserAnswer::Refuse {
                status: 429,
                marker: String::new(),
                retry_after_s: Some(60),
            };
            parser(refusal, CallbackMoment::Never)
        }
        WaitKind::SlowParser => {
            let late = ParserAnswer::Late { delay_ms: SLOW_MS };
            parser(late, CallbackMoment::Never)
        }
    };
    Ok(standins.script_parser(document.sha256(), behaviour).await?)
}

/// Lets time pass, because the time itself is measured.
async fn pass(cx: &Context, time: Duration) -> CheckResult<Duration> {
    let began = Instant::now();
    let passed = async || Ok((began.elapsed() >= time).then(|| began.elapsed()));
    cx.eventually("the time has passed", time * 2, passed).await
}

/// What waiting costs too much, if anything.
async fn observe(cx: &Context, case: &Wait) -> CheckResult<Option<String>> {
    let (transactions, processor) = (transactions(cx).await?, processor_time(cx)?);
    let passed = pass(cx, OBSERVED).await?;
    let used = processor_time(cx)?.saturating_sub(processor);
    // The last transactions reach the statistics later.
    let counted = pass(cx, STATISTICS_DELAY).await? + passed;
    let made = self::transactions(cx).await?.saturating_sub(transactions);
    let interval = cx.contract().timing.poll_interval.as_millis().max(1);
    let polls = u64::try_from(counted.as_millis() / interval)?;
    let most = (polls + 2) * PER_POLL + PER_JOB * u64::try_from(case.jobs)? + 20;
    let share = used.as_secs_f64() / passed.as_secs_f64();
    cx.observe(
        "system",
        format!("{made} transactions in {polls} poll intervals (limit {most}), {share:.2} of a processor"),
        Value::Null,
    );
    if made > most {
        return Ok(Some(format!(
            "while jobs wait, the pipeline made {made} transactions within {polls} poll intervals"
        )));
    }
    if share > MAX_PROCESSOR_SHARE {
        return Ok(Some(format!(
            "while jobs wait, the processes of the pipeline use {:.0} % of a processor",
            share * 100.0
        )));
    }
    Ok(None)
}

async fn transactions(cx: &Context) -> CheckResult<u64> {
    let query = "SELECT xact_commit + xact_rollback AS seen FROM pg_stat_database \
                 WHERE datname = current_database()";
    let rows: Vec<Value> = cx.database()?.rows(query, &[]).await?;
    let seen = rows.first().and_then(|row| row["seen"].as_u64());
    Ok(seen.unwrap_or_default())
}

/// The processor time of the API and the workers so far.
fn processor_time(cx: &Context) -> CheckResult<Duration> {
    let stack = cx.processes()?;
    let workers = stack.workers();
    let services = workers.iter().map(|worker| worker.processor_time());
    Ok(services.chain([stack.api().processor_time()]).sum())
}
