//! Side by side: requests and documents that wait for a dependency do not wait for each other.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, ResponseResult};
use cutover_harness::fault::faults::Latency;
use cutover_harness::fault::{Fault, Injection, LinkName};
use cutover_harness::prelude::*;
use cutover_harness::standin::{EmbedderBehaviour, ParserAnswer, ParserBehaviour};
use futures::future::try_join_all;
use time::OffsetDateTime;

use crate::looks::two_looks;
use crate::measured::{Better, measured};
use crate::providers::{PROVIDERS, Provider};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(requests_wait_side_by_side, DEPENDENCIES)
            .requires([Http, Processes, Links])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(documents_wait_side_by_side, PROVIDERS)
            .requires([Http, Standins, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(2),
    ]
}

/// A dependency that requests wait for.
pub(super) struct Dependency {
    name: &'static str,
    link: LinkName,
    request: Request,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    List,
    Register,
    Search,
}

impl Named for Dependency {
    fn name(&self) -> &'static str {
        self.name
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.link)
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let route = match self.request {
            Request::List => Endpoint::Jobs,
            Request::Register => Endpoint::Upload,
            Request::Search => Endpoint::Search,
        };
        (!contract.has(route)).then(|| "this target has no such route".to_owned())
    }
}

const DEPENDENCIES: &[Dependency] = &[
    Dependency {
        name: "for_the_database",
        link: LinkName::ApiToDatabase,
        request: Request::List,
    },
    Dependency {
        name: "for_the_storage",
        link: LinkName::ApiToStorage,
        request: Request::Register,
    },
    Dependency {
        name: "for_the_embedder",
        link: LinkName::ApiToEmbedder,
        request: Request::Search,
    },
];

/// How late the dependency answers.
const LATE_MS: u64 = 120;

/// The requests that wait at a time. One after the other, they take this many times as long as one.
const REQUESTS: u32 = 8;

/// How many times as long as one they may take together. Three turns are those of a pool of three connections.
const TURNS: f64 = 4.0;

/// What a request may take: it has no fault.
const WITHIN: Duration = secs(20);

/// Requests that wait for a dependency at the same time take hardly longer than one.
async fn requests_wait_side_by_side(cx: &Context, case: &Dependency) -> CheckResult {
    // Connections are open before they are slow.
    together(cx, case.request, REQUESTS).await?;
    let guard = cx
        .link(case.link)?
        .inject(Injection::new(Fault::from(Latency {
            delay_ms: LATE_MS,
            ..Latency::default()
        })))?;
    let measured = two_looks(async || {
        let one = together(cx, case.request, 1).await?;
        let many = together(cx, case.request, REQUESTS).await?;
        let turns = many.as_secs_f64() / one.as_secs_f64();
        measured(cx, &format!("turns of {REQUESTS} requests {}", case.name), "turns", Better::Lower, turns);
        let is_late = one >= Duration::from_millis(LATE_MS);
        Ok((is_late && turns > TURNS).then(|| {
            format!(
                "{REQUESTS} requests that wait {} at the same time take {turns:.1} times as long as one ({many:.1?}, {one:.1?}): \
                 they wait for each other",
                case.name.replace('_', " ")
            )
        }))
    })
    .await;
    let touched = guard.heal().await;
    measured?;
    let touched = touched.map_err(|error| Stop::violated(Finding::new(error.to_string())))?;
    if touched.connections == 0 {
        let reason = format!("no request waits {}", case.name.replace('_', " "));
        return Err(Stop::not_applicable(reason));
    }
    Ok(())
}

/// Sends requests at the same time, each as a user of its own; how long until all are answered.
async fn together(cx: &Context, request: Request, count: u32) -> CheckResult<Duration> {
    let users = (0..count)
        .map(|_| cx.pipeline())
        .collect::<CheckResult<Vec<_>>>()?;
    let began = Instant::now();
    let sent = users.iter().map(|user| send(cx, user, request));
    let responses = try_join_all(sent).await?;
    let took = began.elapsed();
    for response in responses {
        let is_answered = response
            .as_ref()
            .is_ok_and(|response| response.status < 500);
        ensure!(
            is_answered,
            "a request is not answered beside others: {response:?}"
        );
    }
    Ok(took)
}

async fn send(cx: &Context, user: &Pipeline, request: Request) -> CheckResult<ResponseResult> {
    match request {
        Request::List => user.try_jobs(WITHIN).await,
        Request::Search => user.try_search("side by side", 1, WITHIN).await,
        Request::Register => {
            user.try_register(cx.document().build().upload(), WITHIN)
                .await
        }
    }
}

/// The documents that wait for a provider at the same time.
const DOCUMENTS: usize = 4;

/// Two workers wait for a provider at the same time: a call begins before the one before it has ended.
async fn documents_wait_side_by_side(cx: &Context, provider: &Provider) -> CheckResult {
    let late = cx
        .contract()
        .timing
        .provider_timeout
        .mul_f64(0.5)
        .min(secs(2));
    two_looks(async || {
        let mut began = calls_at(cx, provider, late).await?;
        began.sort_unstable();
        let gaps: Vec<Duration> = began.windows(2).map(|pair| (pair[1] - pair[0]).unsigned_abs()).collect();
        let shortest = gaps.iter().min().copied().unwrap_or_default();
        Ok((gaps.len() + 1 >= DOCUMENTS && shortest > late.mul_f64(0.8)).then(|| {
            format!(
                "two workers wait {} one after the other: {} calls that take {late:.1?} each begin at least {shortest:.1?} apart",
                provider.name().replace('_', " "),
                gaps.len() + 1
            )
        }))
    })
    .await
}

/// When the calls of the provider for several documents at a time begin.
async fn calls_at(
    cx: &Context,
    provider: &Provider,
    late: Duration,
) -> CheckResult<Vec<OffsetDateTime>> {
    let documents = (0..DOCUMENTS).map(async |_| -> CheckResult<Vec<OffsetDateTime>> {
        let delay_ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        let (standins, document) = (cx.standins()?, cx.document().build());
        let _script = if provider.is_embedder {
            let late = EmbedderBehaviour::Late { delay_ms };
            standins
                .script_embedder(document.nonce(), late)
                .times(1)
                .await?
        } else {
            let behaviour = ParserBehaviour {
                answer: ParserAnswer::Late { delay_ms },
                ..ParserBehaviour::default()
            };
            standins
                .script_parser(document.sha256(), behaviour)
                .times(1)
                .await?
        };
        cx.pipeline()?.complete(&document).await?;
        let calls = provider.calls(cx, &document).await?;
        Ok(calls.into_iter().take(1).collect())
    });
    let calls = try_join_all(documents).await?;
    Ok(calls.into_iter().flatten().collect())
}
