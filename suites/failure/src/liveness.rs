//! Liveness: a process answers for itself at any time, whatever others wait for.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Endpoint;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Reply, Silence};
use cutover_harness::stack::{Beside, Overrides};
use cutover_harness::standin::{AuthBehaviour, EmbedderBehaviour, ScriptGuard, StorageBehaviour};
use futures::future::try_join_all;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(health_answers_while_requests_wait, CROWDS)
            .requires([Http, Standins, Processes])
            .effect(Fault)
            .takes(secs(2))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// Many users who ask for something at the same time.
pub(super) struct Crowd {
    name: &'static str,
    wants: Want,
    slow: Slow,
}

#[derive(Clone, Copy)]
enum Want {
    Upload,
    Search,
    List,
}

/// Who takes its time meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum Slow {
    Nobody,
    Storage,
    Embedder,
    Identity,
}

impl Named for Crowd {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn crowd(name: &'static str, wants: Want, slow: Slow) -> Crowd {
    Crowd { name, wants, slow }
}

const CROWDS: &[Crowd] = &[
    crowd("registrations", Want::Upload, Slow::Nobody),
    crowd(
        "registrations_with_a_slow_storage",
        Want::Upload,
        Slow::Storage,
    ),
    crowd(
        "searches_with_a_slow_embedder",
        Want::Search,
        Slow::Embedder,
    ),
    crowd(
        "requests_with_a_slow_identity_provider",
        Want::List,
        Slow::Identity,
    ),
];

/// How many users ask at the same time.
const USERS: usize = 30;

/// How long a provider takes that takes its time.
const DELAY_MS: u64 = 500;

/// How often it is tried: a busy machine may keep everybody waiting for once.
const TRIES: usize = 3;

/// While many users wait, whether a process lives is told as ever.
async fn health_answers_while_requests_wait(cx: &Context, case: &Crowd) -> CheckResult {
    let beside = match case.slow {
        Slow::Identity => Some(introspecting(cx).await?),
        Slow::Nobody | Slow::Storage | Slow::Embedder => None,
    };
    let script = slowed(cx, case.slow).await?;
    let mut in_time = false;
    for _ in 0..TRIES {
        // Where so many who want next to nothing take long, it is the machine that is slow.
        in_time = is_answered_in_time(cx, case.wants, beside.as_ref()).await?
            || !serves_at_once(cx, beside.as_ref()).await?;
        if in_time {
            break;
        }
    }
    ensure!(
        in_time,
        "while {USERS} users wait, /health is not answered within {:?}",
        limit(cx)
    );
    if let Some(script) = script {
        script.withdraw().await?;
    }
    match beside {
        Some(beside) => Ok(beside.end().await?),
        None => Ok(()),
    }
}

/// How long an answer about health may take.
fn limit(cx: &Context) -> Duration {
    cx.contract().timing.ready_within * 2
}

/// The same service, asking its identity provider about every token.
async fn introspecting(cx: &Context) -> CheckResult<Beside> {
    let mode = ("AUTH_MODE".to_owned(), Some("introspection".to_owned()));
    let overrides = Overrides::from([mode]);
    Ok(cx.processes()?.api_beside(&overrides).await?)
}

async fn slowed(cx: &Context, slow: Slow) -> CheckResult<Option<ScriptGuard>> {
    let (standins, delay_ms) = (cx.standins()?, DELAY_MS);
    Ok(match slow {
        Slow::Nobody => None,
        Slow::Storage => {
            let late = StorageBehaviour::Late { delay_ms };
            Some(standins.script_storage("POST ", late).await?)
        }
        Slow::Embedder => {
            let late = EmbedderBehaviour::Late { delay_ms };
            Some(standins.script_embedder("", late).await?)
        }
        Slow::Identity => {
            let late = AuthBehaviour::Late { delay_ms };
            Some(standins.script_auth("", late).await?)
        }
    })
}

/// Whether health is answered within the limit, again and again, for as long as a crowd waits.
async fn is_answered_in_time(
    cx: &Context,
    wants: Want,
    beside: Option<&Beside>,
) -> CheckResult<bool> {
    let mut users = Vec::new();
    for _ in 0..USERS {
        users.push(at(cx.pipeline()?, beside));
    }
    let documents: Vec<_> = users.iter().map(|_| cx.document().build()).collect();
    let (served, late) = (Cell::new(false), Cell::new(false));
    let crowd = async {
        let wanted = users.iter().zip(&documents);
        let replies = try_join_all(wanted.map(|(user, document)| ask(user, wants, document))).await;
        served.set(true);
        replies
    };
    let probe = users[0].anonymous();
    let within = cx.contract().timing.complete_within;
    let watching = cx.eventually("the crowd is served", within, async || {
        let request = probe.request(Endpoint::Health, "")?.within(limit(cx));
        match probe.http().send(request).await {
            Err(HttpError::NoAnswer {
                silence: Silence::Late { .. },
                ..
            }) => late.set(true),
            answer => drop(answer.map_err(HttpError::into_stop)?.expect_status(200)?),
        }
        Ok(served.get().then_some(()))
    });
    let (replies, watched) = futures::join!(crowd, watching);
    for reply in replies? {
        ensure!(
            reply.status < 500,
            "of {USERS} users at once one is answered with {}",
            reply.summary()
        );
    }
    watched?;
    Ok(!late.get())
}

/// As long as so many may take who want next to nothing.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Whether as many as are in a crowd are told at once that the process lives.
async fn serves_at_once(cx: &Context, beside: Option<&Beside>) -> CheckResult<bool> {
    let probe = at(cx.pipeline()?, beside).anonymous();
    let began = Instant::now();
    try_join_all((0..USERS).map(|_| probe.health())).await?;
    Ok(began.elapsed() < AT_ONCE)
}

fn at(pipeline: Pipeline, beside: Option<&Beside>) -> Pipeline {
    match beside {
        Some(beside) => pipeline.at(beside.url()),
        None => pipeline,
    }
}

async fn ask(user: &Pipeline, wants: Want, document: &Document) -> CheckResult<Reply> {
    match wants {
        Want::Upload => user.register(document.upload()).await,
        Want::Search => user.search(document.nonce(), 3).await,
        Want::List => user.jobs(&[]).await,
    }
}
