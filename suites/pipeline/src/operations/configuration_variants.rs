//! Configuration variants: a second API with another setting behaves as specified.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Parameter;
use cutover_harness::secret::Secret;
use cutover_harness::stack::{ExtraApi, Overrides};
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
            .calls([Endpoint::Ready])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(an_old_queue_is_not_ready)
            .requires([Http, Database, Standins, Processes])
            .calls([Endpoint::Ready])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
        check!(
            without_its_identity_provider_a_service_is_unavailable,
            IDENTITY_FAILURES
        )
        .requires([Http, Standins, Processes])
        .calls([Endpoint::Jobs])
        .effect(Effect::Fault)
        .expected_duration(secs(2))
        .severity(High)
        .alone_with_workers(1),
    ]
}

async fn start_extra_api(cx: &Context, variable: &str, value: &str) -> CheckResult<ExtraApi> {
    let overrides = Overrides::from([(variable.to_owned(), Some(value.to_owned()))]);
    Ok(cx.processes()?.start_extra_api(&overrides).await?)
}

/// The queue age limit of the second API.
const AGE_LIMIT_MS: u64 = 2_500;
/// Above the queue age limit, and below the lifetime of a signed URL.
const LONG_WAIT: Duration = Duration::from_millis(3_500);

/// Attempts: a busy machine may not be ready while one document waits.
const TRIES: usize = 2;

/// A document that waits for its bytes does not make the service unready, because no worker could process it.
async fn a_document_without_bytes_does_not_age_the_queue(cx: &Context) -> CheckResult {
    let extra_api = start_extra_api(cx, "QUEUE_AGE_LIMIT_MS", &AGE_LIMIT_MS.to_string()).await?;
    let mut is_ready = false;
    for _ in 0..TRIES {
        is_ready |= is_ready_with_waiting_document(cx, &extra_api).await?;
        if is_ready {
            break;
        }
    }
    ensure!(
        is_ready,
        "a service is not ready while a document waits for its bytes"
    );
    Ok(extra_api.end().await?)
}

/// Whether the service is ready after a document has waited for a long time and before its signed URL expires.
async fn is_ready_with_waiting_document(cx: &Context, extra_api: &ExtraApi) -> CheckResult<bool> {
    let pipeline = cx.pipeline()?.at(extra_api.url());
    let registered = &cx.contract().vocabulary.registered;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let since = Instant::now();
    let within = cx.contract().limits.url_ttl + cx.contract().timing.complete_within;
    cx.eventually(
        "the service is ready, or the wait is over",
        within,
        async || {
            let reply = pipeline.ready().await?;
            let waited = since.elapsed() > LONG_WAIT;
            let waits = pipeline.view(&accepted).await?.status == *registered;
            Ok(match (waits, reply.status) {
                (false, _) => Poll::Ready(false),
                (true, 200) if waited => Poll::Ready(true),
                (true, _) => Poll::Pending(reply.summary()),
            })
        },
    )
    .await
}

/// Enough users that a worker with a slow parser exceeds the queue age limit.
const USERS: usize = 16;

/// The delay of the slow parser.
const HELD_MS: u64 = 1_200;

/// Tolerated ready responses with a queue above the age limit: the response may be older than the query.
const MAX_STALE_RESPONSES: usize = 3;

/// The seconds that the oldest job has waited for a worker, and the number of unfinished jobs.
#[derive(Deserialize)]
struct QueueState {
    waited: f64,
    left: u64,
}

const QUEUE: &str = "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(next_attempt_at) FILTER \
    (WHERE state = $1 AND next_attempt_at <= clock_timestamp())), 0)::float8 AS waited, \
    count(*) FILTER (WHERE $2::jsonb ? state) AS left FROM {schema}.upload_jobs";

/// A service whose worker falls behind is not ready until the worker has caught up.
async fn an_old_queue_is_not_ready(cx: &Context) -> CheckResult {
    let extra_api = start_extra_api(cx, "QUEUE_AGE_LIMIT_MS", &AGE_LIMIT_MS.to_string()).await?;
    let slow = ParserBehaviour {
        answer: ParserAnswer::Late { delay_ms: HELD_MS },
        ..ParserBehaviour::default()
    };
    // The scope excludes the readiness probe of the parser.
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
    let pipeline = users[0].at(extra_api.url()).anonymous();
    becomes_old_or_empty(cx, &pipeline).await?;
    script.withdraw().await?;
    let within = cx.contract().timing.complete_within;
    let ready = async || pipeline.ready().await;
    wait_for_status(cx, "the service is ready again", within, 200, ready).await?;
    Ok(extra_api.end().await?)
}

/// The service is not ready as soon as the queue is too old, unless the queue drains before.
async fn becomes_old_or_empty(cx: &Context, pipeline: &Pipeline) -> CheckResult {
    let (vocabulary, mut stale_responses) = (&cx.contract().vocabulary, 0);
    let parameters = [
        vocabulary.retried_state.as_str().into(),
        Parameter::Json(json!(vocabulary.active_states)),
    ];
    let within = cx.contract().timing.complete_within;
    cx.eventually(
        "the service is not ready, or the queue is empty",
        within,
        async || {
            let queue: Vec<QueueState> = cx.database()?.rows(QUEUE, &parameters).await?;
            let reply = pipeline.ready().await?;
            for QueueState { waited, .. } in &queue {
                stale_responses +=
                    usize::from(*waited > LONG_WAIT.as_secs_f64() && reply.status == 200);
                ensure!(
                    stale_responses < MAX_STALE_RESPONSES,
                    "a service is ready although a document has waited for {waited:.1} s"
                );
            }
            let is_done = queue.iter().all(|queue| queue.left == 0);
            Ok((reply.status == 503 || is_done).then_some(()))
        },
    )
    .await
}

/// A failure of the identity provider.
pub(super) struct IdentityFailure {
    name: &'static str,
    behaviour: fn() -> AuthBehaviour,
}

impl Named for IdentityFailure {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Failures of the identity provider.
const IDENTITY_FAILURES: &[IdentityFailure] = &[
    IdentityFailure {
        name: "broken",
        behaviour: || AuthBehaviour::Refuse { status: 500 },
    },
    IdentityFailure {
        name: "away",
        behaviour: || AuthBehaviour::Refuse { status: 503 },
    },
    IdentityFailure {
        name: "overloaded",
        behaviour: || AuthBehaviour::Refuse { status: 429 },
    },
    IdentityFailure {
        name: "silent",
        behaviour: || AuthBehaviour::Hang,
    },
];

/// With token introspection, the service accepts valid tokens, refuses invalid ones, and answers 503 during an outage.
async fn without_its_identity_provider_a_service_is_unavailable(
    cx: &Context,
    case: &IdentityFailure,
) -> CheckResult {
    let extra_api = start_extra_api(cx, "AUTH_MODE", "introspection").await?;
    let mut stranger = cx.tenant()?;
    stranger.token = Secret::new("a.b.c");
    let pipeline = cx.pipeline()?.at(extra_api.url());
    pipeline.jobs(&[]).await?.expect_status(200)?;
    let refused = pipeline.as_tenant(stranger).jobs(&[]).await?;
    expect_error_body(
        &refused.expect_status(&cx.contract().statuses.unauthenticated)?,
        cx.contract(),
    )?;
    let standins = cx.standins()?;
    let script = standins.script_auth("", (case.behaviour)()).await?;
    let reply = pipeline.jobs(&[]).await?.expect_status(503)?;
    expect_error_body(&reply, cx.contract())?;
    script.withdraw().await?;
    let jobs = async || pipeline.jobs(&[]).await;
    wait_for_status(
        cx,
        "the token is accepted again",
        RECOVERED_WITHIN,
        200,
        jobs,
    )
    .await?;
    Ok(extra_api.end().await?)
}

/// How long a service may take to use a recovered provider.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
