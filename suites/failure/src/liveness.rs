//! Liveness: `/health` answers in time, whatever other requests wait for.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Endpoint;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, NoResponse, Response};
use cutover_harness::stack::{ExtraApi, Overrides};
use cutover_harness::standin::{AuthBehaviour, EmbedderBehaviour, ScriptGuard, StorageBehaviour};
use futures::future::try_join_all;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(health_answers_while_requests_wait, WAITING_REQUESTS)
            .requires([Http, Standins, Processes])
            .calls([Endpoint::Health])
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// Many simultaneous requests of one kind.
pub(super) struct WaitingRequests {
    name: &'static str,
    kind: RequestKind,
    slow: SlowProvider,
}

#[derive(Clone, Copy)]
enum RequestKind {
    Upload,
    Search,
    List,
}

/// The provider that is slow meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum SlowProvider {
    Nothing,
    Storage,
    Embedder,
    Identity,
}

impl Named for WaitingRequests {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        match self.kind {
            RequestKind::Upload => Vec::new(),
            RequestKind::Search => vec![Endpoint::Search],
            RequestKind::List => vec![Endpoint::Jobs],
        }
    }
}

const fn waiting_requests(
    name: &'static str,
    kind: RequestKind,
    slow: SlowProvider,
) -> WaitingRequests {
    WaitingRequests { name, kind, slow }
}

const WAITING_REQUESTS: &[WaitingRequests] = &[
    waiting_requests("registrations", RequestKind::Upload, SlowProvider::Nothing),
    waiting_requests(
        "registrations_with_a_slow_storage",
        RequestKind::Upload,
        SlowProvider::Storage,
    ),
    waiting_requests(
        "searches_with_a_slow_embedder",
        RequestKind::Search,
        SlowProvider::Embedder,
    ),
    waiting_requests(
        "requests_with_a_slow_identity_provider",
        RequestKind::List,
        SlowProvider::Identity,
    ),
];

/// The number of simultaneous users.
const USERS: usize = 30;

/// The delay of a slow provider.
const DELAY_MS: u64 = 500;

/// Attempts: one may be slow on a busy machine.
const TRIES: usize = 3;

/// While many requests wait, `/health` answers as quickly as usual.
async fn health_answers_while_requests_wait(cx: &Context, case: &WaitingRequests) -> CheckResult {
    let extra_api = match case.slow {
        SlowProvider::Identity => Some(start_introspecting_api(cx).await?),
        SlowProvider::Nothing | SlowProvider::Storage | SlowProvider::Embedder => None,
    };
    let script = slow_down(cx, case.slow).await?;
    let mut in_time = false;
    for _ in 0..TRIES {
        // If many trivial requests are slow, too, the machine is slow and not the service.
        in_time = is_answered_in_time(cx, case.kind, extra_api.as_ref()).await?
            || !is_machine_fast(cx, extra_api.as_ref()).await?;
        if in_time {
            break;
        }
    }
    ensure!(
        in_time,
        "while {USERS} requests wait, /health does not answer within {:?}",
        limit(cx)
    );
    if let Some(script) = script {
        script.withdraw().await?;
    }
    match extra_api {
        Some(extra_api) => Ok(extra_api.end().await?),
        None => Ok(()),
    }
}

/// The time limit of `/health`.
fn limit(cx: &Context) -> Duration {
    cx.contract().timing.ready_within * 2
}

/// A second API that asks its identity provider about every token.
async fn start_introspecting_api(cx: &Context) -> CheckResult<ExtraApi> {
    let mode = ("AUTH_MODE".to_owned(), Some("introspection".to_owned()));
    let overrides = Overrides::from([mode]);
    Ok(cx.processes()?.start_extra_api(&overrides).await?)
}

async fn slow_down(cx: &Context, slow: SlowProvider) -> CheckResult<Option<ScriptGuard>> {
    let (standins, delay_ms) = (cx.standins()?, DELAY_MS);
    Ok(match slow {
        SlowProvider::Nothing => None,
        SlowProvider::Storage => {
            let late = StorageBehaviour::Late { delay_ms };
            Some(standins.script_storage("POST ", late).await?)
        }
        SlowProvider::Embedder => {
            let late = EmbedderBehaviour::Late { delay_ms };
            Some(standins.script_embedder("", late).await?)
        }
        SlowProvider::Identity => {
            let late = AuthBehaviour::Late { delay_ms };
            Some(standins.script_auth("", late).await?)
        }
    })
}

/// Whether `/health` answers within the limit for as long as the other requests wait.
async fn is_answered_in_time(
    cx: &Context,
    kind: RequestKind,
    extra_api: Option<&ExtraApi>,
) -> CheckResult<bool> {
    let mut users = Vec::new();
    for _ in 0..USERS {
        users.push(at_extra_api(cx.pipeline()?, extra_api));
    }
    let documents: Vec<_> = users.iter().map(|_| cx.document().build()).collect();
    let (served, late) = (Cell::new(false), Cell::new(false));
    let waiting = async {
        let wanted = users.iter().zip(&documents);
        let replies = try_join_all(wanted.map(|(user, document)| ask(user, kind, document))).await;
        served.set(true);
        replies
    };
    let probe = users[0].anonymous();
    let within = cx.contract().timing.complete_within;
    let watching = cx.eventually("all requests are answered", within, async || {
        let request = probe.request(Endpoint::Health, "")?.within(limit(cx));
        match probe.http().send(request).await {
            Err(HttpError::NoResponse {
                reason: NoResponse::TimedOut { .. },
                ..
            }) => late.set(true),
            answer => drop(answer.map_err(HttpError::into_stop)?.expect_status(200)?),
        }
        Ok(served.get().then_some(()))
    });
    let (replies, watched) = futures::join!(waiting, watching);
    for reply in replies? {
        ensure!(
            reply.status < 500,
            "one of {USERS} simultaneous requests is answered with {}",
            reply.summary()
        );
    }
    watched?;
    Ok(!late.get())
}

/// The time limit for that many trivial requests.
const QUICKLY: Duration = Duration::from_millis(300);

/// Whether that many simultaneous `/health` requests are answered quickly.
async fn is_machine_fast(cx: &Context, extra_api: Option<&ExtraApi>) -> CheckResult<bool> {
    let probe = at_extra_api(cx.pipeline()?, extra_api).anonymous();
    let began = Instant::now();
    try_join_all((0..USERS).map(|_| probe.health())).await?;
    Ok(began.elapsed() < QUICKLY)
}

fn at_extra_api(pipeline: Pipeline, extra_api: Option<&ExtraApi>) -> Pipeline {
    match extra_api {
        Some(extra_api) => pipeline.at(extra_api.url()),
        None => pipeline,
    }
}

async fn ask(user: &Pipeline, kind: RequestKind, document: &Document) -> CheckResult<Response> {
    match kind {
        RequestKind::Upload => user.register(document.upload()).await,
        RequestKind::Search => user.search(document.nonce(), 3).await,
        RequestKind::List => user.jobs(&[]).await,
    }
}
