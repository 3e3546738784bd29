//! Other deployments: the same service with another setting keeps the same promises.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Parameter;
use cutover_harness::secret::Secret;
use cutover_harness::stack::{Beside, Overrides};
use cutover_harness::standin::{AuthBehaviour, ParserAnswer, ParserBehaviour};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::json;

use cutover_suite_support::responses::{expect_error_body, wait_for_status};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_without_bytes_does_not_age_the_queue)
            .requires([Http, Processes])
            .effect(Fault)
            .takes(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(an_old_queue_is_not_ready)
            .requires([Http, Database, Standins, Processes])
            .effect(Fault)
            .takes(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(
            without_its_identity_provider_a_service_is_unavailable,
            OUTAGES
        )
        .requires([Http, Standins, Processes])
        .effect(Fault)
        .takes(secs(2))
        .severity(High)
        .alone_with_workers(1),
    ]
}

async fn deployed(cx: &Context, variable: &str, value: &str) -> CheckResult<Beside> {
    let overrides = Overrides::from([(variable.to_owned(), Some(value.to_owned()))]);
    Ok(cx.processes()?.api_beside(&overrides).await?)
}

/// How old a queue may be in the other deployment, where nobody wants to wait for longer.
const OLD_MS: u64 = 2_500;
/// Longer than that, and shorter than any address is good.
const LONG: Duration = Duration::from_millis(3_500);

/// How many documents are tried: a busy machine may not be ready for as long as one waits.
const TRIES: usize = 2;

/// A service is ready although a document has long been waiting for its bytes: nobody could work on it.
async fn a_document_without_bytes_does_not_age_the_queue(cx: &Context) -> CheckResult {
    let beside = deployed(cx, "QUEUE_AGE_LIMIT_MS", &OLD_MS.to_string()).await?;
    let mut is_ready = false;
    for _ in 0..TRIES {
        is_ready |= is_ready_beside_a_waiting_document(cx, &beside).await?;
        if is_ready {
            break;
        }
    }
    ensure!(
        is_ready,
        "a service is not ready for as long as a document waits for its bytes"
    );
    Ok(beside.end().await?)
}

/// Whether readiness is told while a document has long been waiting, which is over when its address expires.
async fn is_ready_beside_a_waiting_document(cx: &Context, beside: &Beside) -> CheckResult<bool> {
    let pipeline = cx.pipeline()?.at(beside.url());
    let registered = &cx.contract().vocabulary.registered;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let since = Instant::now();
    let within = cx.contract().limits.url_ttl + cx.contract().timing.complete_within;
    cx.eventually("readiness, or the end of the wait", within, async || {
        let reply = pipeline.ready().await?;
        let waited = since.elapsed() > LONG;
        let waits = pipeline.view(&accepted).await?.status == *registered;
        Ok(match (waits, reply.status) {
            (false, _) => Look::Seen(false),
            (true, 200) if waited => Look::Seen(true),
            (true, _) => Look::NotYet(reply.summary()),
        })
    })
    .await
}

/// More documents than a worker can give to a slow parser before the first of them has waited for too long.
const USERS: usize = 16;

/// How long the parser takes to take a document.
const HELD_MS: u64 = 1_200;

/// How often readiness may be told of a queue that is older than it may be: the answer may have been on its way.
const OVERSIGHTS: usize = 3;

/// For how long the oldest document has been waiting for a worker, in seconds, and how many are not at their end.
#[derive(Deserialize)]
struct Queue {
    waited: f64,
    left: u64,
}

const QUEUE: &str = "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(next_attempt_at) FILTER \
    (WHERE state = $1 AND next_attempt_at <= clock_timestamp())), 0)::float8 AS waited, \
    count(*) FILTER (WHERE $2::jsonb ? state) AS left FROM {schema}.upload_jobs";

/// A service whose only worker lives and cannot keep up is not ready, until it has caught up.
async fn an_old_queue_is_not_ready(cx: &Context) -> CheckResult {
    let beside = deployed(cx, "QUEUE_AGE_LIMIT_MS", &OLD_MS.to_string()).await?;
    let slow = ParserBehaviour {
        answer: ParserAnswer::Late { delay_ms: HELD_MS },
        ..ParserBehaviour::default()
    };
    // Whether the parser is there is answered as fast as ever.
    let script = cx.standins()?.script_parser(", part 1 of 1", slow).await?;
    let each = cx.contract().limits.concurrent_jobs.min(2);
    let users = (0..USERS).map(async |_| {
        let pipeline = cx.pipeline()?;
        for _ in 0..each {
            pipeline.upload(&cx.document().build()).await?;
        }
        CheckResult::Ok(pipeline)
    });
    let users = try_join_all(users).await?;
    let pipeline = users[0].at(beside.url()).anonymous();
    becomes_old_or_is_done(cx, &pipeline).await?;
    script.withdraw().await?;
    let within = cx.contract().timing.complete_within;
    let ready = async || pipeline.ready().await;
    wait_for_status(cx, "readiness is back", within, 200, ready).await?;
    Ok(beside.end().await?)
}

/// Readiness is denied as soon as the queue is too old; a machine may be so busy that it never is.
async fn becomes_old_or_is_done(cx: &Context, pipeline: &Pipeline) -> CheckResult {
    let (vocabulary, mut oversights) = (&cx.contract().vocabulary, 0);
    let words = [
        vocabulary.retried_state.as_str().into(),
        Parameter::Json(json!(vocabulary.active_states)),
    ];
    let within = cx.contract().timing.complete_within;
    cx.eventually("readiness is denied, or all is done", within, async || {
        let queue: Vec<Queue> = cx.database()?.rows(QUEUE, &words).await?;
        let reply = pipeline.ready().await?;
        for Queue { waited, .. } in &queue {
            oversights += usize::from(*waited > LONG.as_secs_f64() && reply.status == 200);
            ensure!(
                oversights < OVERSIGHTS,
                "a service calls itself ready while a document has been waiting for {waited:.1} s"
            );
        }
        let is_done = queue.iter().all(|queue| queue.left == 0);
        Ok((reply.status == 503 || is_done).then_some(()))
    })
    .await
}

/// A way for the identity provider to be away.
pub(super) struct Outage {
    name: &'static str,
    behaviour: fn() -> AuthBehaviour,
}

impl Named for Outage {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Ways for the identity provider to be away.
const OUTAGES: &[Outage] = &[
    Outage {
        name: "broken",
        behaviour: || AuthBehaviour::Refuse { status: 500 },
    },
    Outage {
        name: "away",
        behaviour: || AuthBehaviour::Refuse { status: 503 },
    },
    Outage {
        name: "overloaded",
        behaviour: || AuthBehaviour::Refuse { status: 429 },
    },
    Outage {
        name: "silent",
        behaviour: || AuthBehaviour::Hang,
    },
];

/// A service that asks its identity provider takes good tokens, refuses bad ones, and says 503 where nobody can tell.
async fn without_its_identity_provider_a_service_is_unavailable(
    cx: &Context,
    case: &Outage,
) -> CheckResult {
    let beside = deployed(cx, "AUTH_MODE", "introspection").await?;
    let mut stranger = cx.tenant()?;
    stranger.token = Secret::new("a.b.c");
    let pipeline = cx.pipeline()?.at(beside.url());
    pipeline.jobs(&[]).await?.expect_status(200)?;
    let refused = pipeline.as_tenant(stranger).jobs(&[]).await?;
    expect_error_body(&refused.expect_status(401)?, cx.contract())?;
    let standins = cx.standins()?;
    let script = standins.script_auth("", (case.behaviour)()).await?;
    let reply = pipeline.jobs(&[]).await?.expect_status(503)?;
    expect_error_body(&reply, cx.contract())?;
    script.withdraw().await?;
    let jobs = async || pipeline.jobs(&[]).await;
    wait_for_status(cx, "the token is good again", RECOVERED_WITHIN, 200, jobs).await?;
    Ok(beside.end().await?)
}

/// How long a service may take to notice that its provider is back.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
