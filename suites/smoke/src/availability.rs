//! The doors of a live service: it is alive and ready, tells its limits, and lets nobody in without a token.

use std::time::Duration;

use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::prelude::*;
use cutover_harness::secret::Secret;

use cutover_suite_support::json::value_at;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_service_is_alive_and_ready)
            .requires([Http])
            .effect(Read)
            .severity(Critical),
        check!(the_limits_are_those_of_the_contract)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(nobody_gets_in_without_a_token)
            .requires([Http])
            .effect(Read)
            .severity(Critical),
        check!(probe_responses_are_not_cached)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// How long a service that has just been put in place may take to say that it is ready.
const READY_WITHIN: Duration = secs(15);

/// The service lives, and has everything that it needs: its worker too, by the age of the queue.
async fn the_service_is_alive_and_ready(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    pipeline.health().await?.expect_status(200)?;
    cx.eventually("the service is ready", READY_WITHIN, async || {
        let reply = pipeline.ready().await?;
        Ok(if reply.status == 200 {
            Look::Seen(())
        } else {
            Look::NotYet(reply.summary())
        })
    })
    .await
}

/// The limits that users are told are the agreed ones.
async fn the_limits_are_those_of_the_contract(cx: &Context) -> CheckResult {
    let told = cx.pipeline()?.limits().await?.expect_status(200)?.json()?;
    let (fields, limits) = (&cx.contract().fields.limits, &cx.contract().limits);
    for (pointer, agreed) in [
        (&fields.max_bytes, limits.max_bytes),
        (&fields.concurrent_jobs, limits.concurrent_jobs.into()),
        (&fields.daily_uploads, limits.daily_uploads.into()),
    ] {
        if pointer.is_given() {
            let said = value_at(pointer, &told, "the answer about limits")?;
            ensure_eq!(
                said.as_u64(),
                Some(agreed),
                "{} is not the agreed limit",
                pointer.as_str()
            );
        }
    }
    Ok(())
}

/// Without a token, or with one that nobody gave, every route that needs one answers 401.
async fn nobody_gets_in_without_a_token(cx: &Context) -> CheckResult {
    let nobody = cx.pipeline()?.anonymous();
    let id = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let forged = Secret::new("Bearer a.b.c");
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence == Presence::Required)
    };
    for endpoint in Endpoint::ALL.into_iter().filter(has) {
        if !endpoint.needs_token() {
            continue;
        }
        for token in [None, Some(&forged)] {
            // A body that would be understood, so that nothing else is in the way.
            let mut request = nobody.request(endpoint, id)?;
            if endpoint == Endpoint::Search {
                request = request.json(&cx.contract().requests.search.body("policy", 1));
            }
            if let Some(token) = token {
                request = request.secret_header("authorization", token);
            }
            nobody.ask(endpoint, request).await?.expect_status(401)?;
        }
    }
    Ok(())
}

/// Nothing on the way keeps what a service says of itself: it would go on saying it when the service is dead.
async fn probe_responses_are_not_cached(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    for reply in [
        pipeline.health().await?,
        pipeline.ready().await?,
        pipeline.version().await?,
    ] {
        let said = reply.header("cache-control").unwrap_or_default();
        ensure!(
            said.contains("no-store"),
            "{} may be kept: Cache-Control is '{said}'",
            reply.request
        );
    }
    Ok(())
}
