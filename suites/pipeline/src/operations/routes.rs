//! Routes: those of the contract exist, all others do not, and every error says what it is.

use std::collections::{BTreeMap, BTreeSet};

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Endpoint, Presence, Proof};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Reply, Request};

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_required_route_exists)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(an_unknown_path_is_not_found)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(a_wrong_method_lists_the_allowed_ones)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(refusals_exhaust_no_resources)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(status_polling_leaks_no_connections)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(an_error_carries_the_id_of_its_request)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// Every route that the target must have answers, with its own method, as something that is there.
async fn every_required_route_exists(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let doomed = pipeline.accept(cx.document().build().upload()).await?;
    for (endpoint, route) in &cx.contract().routes {
        if route.presence != Presence::Required {
            continue;
        }
        let id = if *endpoint == Endpoint::DeleteDocument {
            doomed.document_id
        } else if route.path.contains("{document_id}") {
            accepted.document_id
        } else {
            accepted.job_id
        };
        let reply = pipeline
            .ask(*endpoint, pipeline.request(*endpoint, id)?)
            .await?;
        ensure!(
            !matches!(reply.status, 404 | 405 | 501),
            "the route '{endpoint}' is not there: {} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    Ok(())
}

/// Whatever is not a route is not found, for everybody.
async fn an_unknown_path_is_not_found(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let limits = pipeline.request(Endpoint::Limits, "")?;
    let mut url = limits.url().clone();
    let (known, prefix) = (url.path().to_owned(), &cx.contract().prefix);
    for path in [
        format!("{known}/nothing"),
        format!("{prefix}/nothing"),
        "/nothing".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
    ] {
        url.set_path(&path);
        let reply = send(&pipeline, Request::get(url.clone())).await?;
        expect_error_body(&reply.expect_status(404)?, cx.contract())?;
    }
    Ok(())
}

/// A path that is there with other methods says with which.
async fn a_wrong_method_lists_the_allowed_ones(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let id = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (endpoint, route) in &cx.contract().routes {
        if route.presence == Presence::Required {
            let url = pipeline.request(*endpoint, id)?.url().clone();
            methods
                .entry(url)
                .or_default()
                .insert(route.method.as_str());
        }
    }
    // No route of any contract so far is asked by it.
    let taken = methods.values().any(|methods| methods.contains("PUT"));
    if taken {
        return Err(Stop::not_applicable("this target has a route for PUT"));
    }
    for (url, methods) in methods {
        let reply = send(&pipeline, Request::put(url))
            .await?
            .expect_status(405)?;
        expect_error_body(&reply, cx.contract())?;
        let allowed = reply.header("allow").unwrap_or_default();
        let allowed: BTreeSet<_> = allowed.split(',').map(str::trim).collect();
        ensure!(
            methods.is_subset(&allowed),
            "{} is refused with Allow {allowed:?}, but the route takes {methods:?}",
            reply.request
        );
    }
    Ok(())
}

async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Reply> {
    let tenant = pipeline.tenant();
    let request = match tenant {
        Some(tenant) => request.bearer(&tenant.token),
        None => request,
    };
    let reply = pipeline.http().send(request).await;
    reply.map_err(HttpError::into_stop)
}

/// Whoever asks under an id of its own finds it in the error, and in nobody else's.
async fn an_error_carries_the_id_of_its_request(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let nothing = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence == Presence::Required)
    };
    let endpoints = [Endpoint::Job, Endpoint::Document, Endpoint::Retry];
    for endpoint in endpoints.into_iter().filter(has) {
        for own in ["check-17.a", &nothing.to_string()] {
            let request = pipeline
                .request(endpoint, nothing)?
                .header("x-request-id", own);
            let reply = pipeline.ask(endpoint, request).await?.expect_status(404)?;
            let body = reply.json()?;
            let told = value_at(&cx.contract().fields.error.request_id, &body, "an error")?;
            ensure_eq!(told, own, "an error carries another id than its request");
        }
    }
    let hostile = "\"}\t<script>".repeat(40);
    let request = pipeline
        .request(Endpoint::Job, nothing)?
        .header("x-request-id", &hostile);
    let reply = pipeline
        .ask(Endpoint::Job, request)
        .await?
        .expect_status(404)?;
    expect_error_body(&reply, cx.contract())?;
    let told = reply.header("x-request-id").unwrap_or_default();
    ensure!(
        told != hostile,
        "whatever is sent as the id of a request is sent back"
    );
    Ok(())
}

/// More than any process has connections.
const REFUSALS: usize = 24;

/// However often a service refuses something, it goes on as before.
async fn refusals_exhaust_no_resources(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let nothing = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let (empty, nothing_proven) = (serde_json::json!({}), Proof::default());
    for _ in 0..REFUSALS {
        let (retried, unknown, twice, job, document, deleted, callback, search) = futures::join!(
            pipeline.retry(accepted.job_id),
            pipeline.retry(nothing),
            pipeline.register_as(&empty),
            pipeline.job(nothing),
            pipeline.document(nothing),
            pipeline.delete(nothing),
            pipeline.callback(accepted.job_id, "{}", &nothing_proven),
            pipeline.search("", 1),
        );
        for reply in [
            retried, unknown, twice, job, document, deleted, callback, search,
        ] {
            let reply = reply?;
            ensure!(
                reply.status < 500,
                "after so many refusals, {} is answered with {}",
                reply.request,
                reply.summary()
            );
        }
    }
    cx.pipeline()?.complete(&cx.document().build()).await?;
    Ok(())
}

/// How often a job is looked at: as often as an impatient user does in a minute.
const LOOKS: u64 = 60;

/// However often somebody looks at a job, the service has no more connections to its database than before.
async fn status_polling_leaks_no_connections(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let before = connections(cx).await?;
    for _ in 0..LOOKS {
        pipeline.show(&accepted).await?.expect_status(200)?;
    }
    let after = connections(cx).await?;
    // Others work meanwhile, through pools that fill.
    ensure!(
        after < before + LOOKS / 2,
        "after {LOOKS} looks at a job the database has {after} connections, and had {before} before"
    );
    Ok(())
}

/// How many connections the database has, of whomever.
async fn connections(cx: &Context) -> CheckResult<u64> {
    let query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()";
    Ok(cx.database()?.count(query, &[]).await?)
}
