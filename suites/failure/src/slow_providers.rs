//! Slow providers: while one is waited for, routes that do not need it answer everybody in their usual time.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::stack::{ExtraApi, Overrides};
use cutover_harness::standin::{EmbedderBehaviour, ScriptGuard, StorageBehaviour};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(other_routes_answer_while_a_provider_is_slow, SLOW)
            .requires([Http, Standins, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// A slow provider, and the requests that wait for it.
pub(super) struct SlowCase {
    name: &'static str,
    kind: RequestKind,
}

#[derive(Clone, Copy, PartialEq)]
enum RequestKind {
    Searches,
    Registrations,
}

impl Named for SlowCase {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        match self.kind {
            RequestKind::Searches => vec![Endpoint::Search],
            RequestKind::Registrations => Vec::new(),
        }
    }
}

const SLOW: &[SlowCase] = &[
    SlowCase {
        name: "searches_wait_for_the_embedder",
        kind: RequestKind::Searches,
    },
    SlowCase {
        name: "registrations_wait_for_storage",
        kind: RequestKind::Registrations,
    },
];

/// The connections of the API that is tested.
const POOL: usize = 3;

/// More requests than connections.
const WAITING: usize = POOL * 3;

/// How long the provider takes: less than its time limit.
const DELAY_MS: u64 = 1_500;

/// The least time that counts as slow, however quick the routes usually are.
const ALLOWED: Duration = Duration::from_millis(500);

/// Attempts: a busy machine may be slow at one moment.
const TRIES: usize = 3;

/// While more requests than connections wait for a provider, another user's requests take no longer than usual.
async fn other_routes_answer_while_a_provider_is_slow(
    cx: &Context,
    case: &SlowCase,
) -> CheckResult {
    let overrides = [
        ("DATABASE_POOL", POOL.to_string()),
        ("PROVIDER_TIMEOUT_MS", "20000".to_owned()),
        ("STORAGE_TIMEOUT_MS", "20000".to_owned()),
    ];
    let overrides: Overrides = overrides
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .into();
    let api = cx.processes()?.start_extra_api(&overrides).await?;
    let user = cx.pipeline()?.at(api.url());
    let document = cx.document().build();
    let accepted = user.upload(&document).await?;
    user.until_complete(&accepted).await?;
    let mut slow = Vec::new();
    for _ in 0..TRIES {
        let usual = slowest(&user, &accepted, case.kind, cx).await?;
        let limit = (usual.1 * 3).max(ALLOWED);
        slow = while_waiting(cx, &api, case.kind, &user, &accepted, limit).await?;
        if slow.is_empty() {
            break;
        }
    }
    api.end().await?;
    if slow.is_empty() {
        return Ok(());
    }
    let summary = format!(
        "while {WAITING} requests wait for a provider, routes that do not need it are slow or fail"
    );
    Err(Stop::violated(
        Finding::new(summary).comparing("the usual time", slow.join("\n")),
    ))
}

/// The routes that are slow or fail while requests wait.
async fn while_waiting(
    cx: &Context,
    api: &ExtraApi,
    kind: RequestKind,
    user: &Pipeline,
    accepted: &Accepted,
    limit: Duration,
) -> CheckResult<Vec<String>> {
    let script = slow_down(cx, kind).await?;
    let users: Vec<_> = (0..WAITING)
        .map(|_| Ok(cx.pipeline()?.at(api.url())))
        .collect::<CheckResult<_>>()?;
    let documents: Vec<_> = users.iter().map(|_| cx.document().build()).collect();
    let requests = users.iter().zip(&documents).map(async |(each, document)| {
        let reply = match kind {
            RequestKind::Searches => each.search("policy premium", 3).await,
            RequestKind::Registrations => each.register(document.upload()).await,
        };
        reply.is_ok()
    });
    let asked = async {
        // The requests have reached the provider.
        let within = cx.contract().timing.complete_within;
        cx.eventually("requests wait for the provider", within, async || {
            let standins = cx.standins()?;
            let waiting = match kind {
                RequestKind::Searches => standins.embedder_calls("policy premium").await?.len(),
                RequestKind::Registrations => standins
                    .storage_calls("POST ")
                    .await?
                    .iter()
                    .filter(|call| call.object.contains("raw"))
                    .count(),
            };
            Ok((waiting > 0).then_some(()))
        })
        .await?;
        slowest(user, accepted, kind, cx).await
    };
    let (_, asked) = futures::join!(join_all(requests), asked);
    let (each, _) = asked?;
    script.withdraw().await?;
    let slow = each
        .into_iter()
        .filter(|(_, took, ok)| *took > limit || !ok);
    Ok(slow
        .map(|(route, took, ok)| format!("{route}: {took:?}, success: {ok} (limit {limit:?})"))
        .collect())
}

type Timed = (&'static str, Duration, bool);

/// Asks each route that does not need the provider; returns each time, and the longest.
async fn slowest(
    user: &Pipeline,
    accepted: &Accepted,
    kind: RequestKind,
    cx: &Context,
) -> CheckResult<(Vec<Timed>, Duration)> {
    let document = cx.document().build();
    let mut routes: Vec<(&'static str, BoxFuture<'_, CheckResult<Response>>)> = vec![
        ("health", user.health().boxed()),
        ("jobs", user.jobs(&[]).boxed()),
        ("job", user.job(accepted.job_id).boxed()),
        ("document", user.document(accepted.document_id).boxed()),
        ("limits", user.limits().boxed()),
    ];
    match kind {
        RequestKind::Searches => routes.push(("upload", {
            let other = user.as_tenant(cx.tenant()?);
            async move { other.register(document.upload()).await }.boxed()
        })),
        RequestKind::Registrations => {
            routes.push(("search", user.search("premium", 3).boxed()));
        }
    }
    let timed = routes.into_iter().map(async |(route, asking)| {
        let began = Instant::now();
        let ok = match asking.await {
            // The target does not have this route.
            Err(Stop::Skip { .. }) => return None,
            reply => reply.is_ok_and(|reply| reply.is_success()),
        };
        Some((route, began.elapsed(), ok))
    });
    let timed: Vec<Timed> = join_all(timed).await.into_iter().flatten().collect();
    let longest = timed.iter().map(|(_, took, _)| *took).max();
    Ok((timed, longest.unwrap_or_default()))
}

async fn slow_down(cx: &Context, kind: RequestKind) -> CheckResult<ScriptGuard> {
    let standins = cx.standins()?;
    let delay_ms = DELAY_MS;
    Ok(match kind {
        RequestKind::Searches => {
            let late = EmbedderBehaviour::Late { delay_ms };
            standins.script_embedder("policy premium", late).await?
        }
        RequestKind::Registrations => {
            let late = StorageBehaviour::Late { delay_ms };
            standins.script_storage("POST ", late).await?
        }
    })
}
