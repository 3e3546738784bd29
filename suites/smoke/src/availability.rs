//! Availability: a live service is alive and ready, reports its limits, and refuses requests without a token.

use std::time::Duration;

use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::prelude::*;
use cutover_harness::secret::Secret;

use cutover_suite_support::json::value_at;
use cutover_suite_support::unknown_paths::is_answered_like_unknown;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_service_is_alive_and_ready)
            .requires([Http])
            .calls([Endpoint::Health, Endpoint::Ready])
            .effect(Effect::Read)
            .severity(Critical),
        check!(the_limits_are_those_of_the_contract)
            .requires([Http])
            .calls([Endpoint::Limits])
            .effect(Effect::Read)
            .severity(High),
        check!(nobody_gets_in_without_a_token)
            .requires([Http])
            .effect(Effect::Read)
            .severity(Critical),
        check!(probe_responses_are_not_cached)
            .only_where([Condition::PROBES_NO_STORE])
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
    ]
}

/// How long a new deployment may take to become ready.
const READY_WITHIN: Duration = secs(15);

/// The service is alive, and all its dependencies are available.
async fn the_service_is_alive_and_ready(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    pipeline.health().await?.expect_status(200)?;
    cx.eventually("the service is ready", READY_WITHIN, async || {
        let reply = pipeline.ready().await?;
        Ok(if reply.status == 200 {
            Poll::Ready(())
        } else {
            Poll::Pending(reply.summary())
        })
    })
    .await
}

/// The limits endpoint reports the limits of the contract.
async fn the_limits_are_those_of_the_contract(cx: &Context) -> CheckResult {
    let response = cx.pipeline()?.limits().await?.expect_status(200)?.json()?;
    let (fields, limits) = (&cx.contract().fields.limits, &cx.contract().limits);
    for (pointer, agreed) in [
        (&fields.max_bytes, limits.max_bytes),
        (&fields.concurrent_jobs, limits.concurrent_jobs.into()),
        (&fields.daily_uploads, limits.daily_uploads.into()),
    ] {
        if pointer.is_given() {
            let value = value_at(pointer, &response, "the limits response")?;
            ensure_eq!(
                value.as_u64(),
                Some(agreed),
                "{} differs from the limit of the contract",
                pointer.as_str()
            );
        }
    }
    Ok(())
}

/// Without a token, or with an invalid one, every protected route answers 401.
async fn nobody_gets_in_without_a_token(cx: &Context) -> CheckResult {
    let anonymous = cx.pipeline()?.anonymous();
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
            // A valid body, so that only the token can be the reason for a refusal.
            let mut request = anonymous.request(endpoint, id)?;
            if endpoint == Endpoint::Search {
                request = request.json(&cx.contract().requests.search.body("policy", 1));
            }
            if let Some(token) = token {
                request = request.secret_header("authorization", token);
            }
            let reply = anonymous.ask(endpoint, request.clone()).await?;
            if reply.is_success()
                && is_answered_like_unknown(cx, &anonymous, request, &reply).await?
            {
                let reason = format!(
                    "{} and a path that does not exist are answered alike, so that nothing can be said about tokens",
                    reply.request
                );
                return Err(Stop::precondition_missing(reason));
            }
            reply.expect_status(&cx.contract().statuses.unauthenticated)?;
        }
    }
    Ok(())
}

/// Probe responses are not cacheable: a cached one would hide that the service is down.
async fn probe_responses_are_not_cached(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let probes = [Endpoint::Health, Endpoint::Ready, Endpoint::Version];
    for probe in probes.into_iter().filter(|probe| cx.contract().has(*probe)) {
        let reply = pipeline.ask(probe, pipeline.request(probe, "")?).await?;
        let cache_control = reply.header("cache-control").unwrap_or_default();
        ensure!(
            cache_control.contains("no-store"),
            "{} is cacheable: Cache-Control is '{cache_control}'",
            reply.request
        );
    }
    Ok(())
}
