//! Liveness: a process answers for itself at any time, whatever others wait for.

use std::cell::Cell;
use std::pin::pin;
use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::stack::{Beside, Overrides};
use cutover_harness::standin::{AuthBehaviour, EmbedderBehaviour, ScriptGuard, StorageBehaviour};
use futures::future::{Either, select, try_join_all};

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(health_is_answered_whoever_waits, CROWDS)
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
const USERS: usize = 20;

/// How long a provider takes that takes its time.
const DELAY_MS: u64 = 500;

/// How often it is tried: a busy machine may keep everybody waiting for once.
const TRIES: usize = 3;

/// While many users wait, whether a process lives is told as fast as whether it is ready.
async fn health_is_answered_whoever_waits(cx: &Context, case: &Crowd) -> CheckResult {
    let limit = cx.contract().timing.ready_within * 3 / 2;
    let beside = match case.slow {
        Slow::Identity => Some(introspecting(cx).await?),
        Slow::Nobody | Slow::Storage | Slow::Embedder => None,
    };
    let script = slowed(cx, case.slow).await?;
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        fastest = fastest.min(slowest_answer(cx, case.wants, beside.as_ref()).await?);
        if fastest < limit {
            break;
        }
    }
    ensure!(
        fastest < limit,
        "while {USERS} users wait, /health is answered after {:.1} s at best",
        fastest.as_secs_f64()
    );
    if let Some(script) = script {
        script.withdraw().await?;
    }
    match beside {
        Some(beside) => Ok(beside.end().await?),
        None => Ok(()),
    }
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

/// How long the slowest answer about health takes while a crowd waits for its own.
async fn slowest_answer(
    cx: &Context,
    wants: Want,
    beside: Option<&Beside>,
) -> CheckResult<Duration> {
    let mut users = Vec::new();
    for _ in 0..USERS {
        let pipeline = cx.pipeline()?;
        users.push(match beside {
            Some(beside) => pipeline.at(beside.url()),
            None => pipeline,
        });
    }
    let documents: Vec<_> = users.iter().map(|_| cx.document().build()).collect();
    let probe = users[0].anonymous();
    let wanted = users.iter().zip(&documents);
    let crowd = try_join_all(wanted.map(|(user, document)| ask(user, wants, document)));
    let (slowest, asked) = (Cell::new(Duration::ZERO), Cell::new(Instant::now()));
    let watching = pin!(watch(&probe, &slowest, &asked));
    let replies = match select(crowd, watching).await {
        Either::Left((replies, _)) => replies?,
        Either::Right((stopped, _)) => return stopped.map(|()| slowest.get()),
    };
    for reply in replies {
        ensure!(
            reply.status < 500,
            "of {USERS} users at once one is answered with {}",
            reply.summary()
        );
    }
    // The last question may still be waiting for its answer.
    Ok(slowest.get().max(asked.get().elapsed()))
}

/// Asks for health without an end, and notes when it last asked and the longest that an answer took.
async fn watch(probe: &Pipeline, slowest: &Cell<Duration>, asked: &Cell<Instant>) -> CheckResult {
    loop {
        asked.set(Instant::now());
        probe.health().await?.expect_status(200)?;
        slowest.set(slowest.get().max(asked.get().elapsed()));
    }
}

async fn ask(user: &Pipeline, wants: Want, document: &Document) -> CheckResult<Reply> {
    match wants {
        Want::Upload => user.register(document.upload()).await,
        Want::Search => user.search(document.nonce(), 3).await,
        Want::List => user.jobs(&[]).await,
    }
}
