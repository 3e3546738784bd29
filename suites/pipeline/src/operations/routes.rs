//! Routes: the routes of the contract exist, all other paths do not, and errors are described.

use std::collections::{BTreeMap, BTreeSet};

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Endpoint, Presence, Proof};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request, Response};

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_required_route_exists)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(an_unknown_path_is_not_found)
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
        check!(a_wrong_method_lists_the_allowed_ones)
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
        check!(refusals_exhaust_no_resources)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(status_polling_leaks_no_connections)
            .requires([Http, Database])
            .calls([Endpoint::Job])
            .reads(read::NOTHING)
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(an_error_carries_the_id_of_its_request)
            .only_where([Condition::ERROR_REQUEST_ID])
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
    ]
}

/// Every required route exists with its method.
async fn every_required_route_exists(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let to_delete = pipeline.accept(cx.document().build().upload()).await?;
    for (endpoint, route) in &cx.contract().routes {
        if route.presence != Presence::Required {
            continue;
        }
        let id = if *endpoint == Endpoint::DeleteDocument {
            to_delete.document_id
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
            "the route '{endpoint}' does not exist: {} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    Ok(())
}

/// A path without a route is answered with 404. What is outside of the API's prefix may have another server, whose errors
/// have any form, and routes that the contract allows.
async fn an_unknown_path_is_not_found(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let mut url = pipeline.at_path(&cx.contract().prefix);
    let (known, prefix) = (url.path().to_owned(), &cx.contract().prefix);
    for path in [
        format!("{known}/nothing"),
        format!("{prefix}/nothing"),
        "/nothing".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
    ] {
        if cx.contract().undocumented.allows("GET", &path) {
            continue;
        }
        url.set_path(&path);
        let reply = send(&pipeline, Request::get(url.clone())).await?;
        let reply = reply.expect_status(404)?;
        if path.starts_with(&known) {
            expect_error_body(&reply, cx.contract())?;
        }
    }
    Ok(())
}

/// A wrong method is refused, and a 405 lists the route's methods in Allow.
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
    // PUT is not used by any known contract.
    let taken = methods.values().any(|methods| methods.contains("PUT"));
    if taken {
        return Err(Stop::not_applicable("this target has a route for PUT"));
    }
    for (url, methods) in methods {
        let reply = send(&pipeline, Request::put(url))
            .await?
            .expect_status(&cx.contract().statuses.wrong_method)?;
        expect_error_body(&reply, cx.contract())?;
        if reply.status != METHOD_NOT_ALLOWED {
            continue;
        }
        let allowed = reply.header("allow").unwrap_or_default();
        let allowed: BTreeSet<_> = allowed.split(',').map(str::trim).collect();
        ensure!(
            methods.is_subset(&allowed),
            "{} is refused with Allow {allowed:?}, but the route supports {methods:?}",
            reply.request
        );
    }
    Ok(())
}

/// The status whose response lists the methods of the route.
const METHOD_NOT_ALLOWED: u16 = 405;

async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Response> {
    let tenant = pipeline.tenant();
    let request = match tenant {
        Some(tenant) => request.bearer(&tenant.token),
        None => request,
    };
    let reply = pipeline.http().send(request).await;
    reply.map_err(HttpError::into_stop)
}

/// The request id that a client sends appears in the error response, unless it is malformed.
async fn an_error_carries_the_id_of_its_request(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let unknown = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence == Presence::Required)
    };
    let endpoints = [Endpoint::Job, Endpoint::Document, Endpoint::Retry];
    for endpoint in endpoints.into_iter().filter(has) {
        for own in ["check-17.a", &unknown.to_string()] {
            let request = pipeline
                .request(endpoint, unknown)?
                .header("x-request-id", own);
            let reply = pipeline
                .ask(endpoint, request)
                .await?
                .expect_status(&cx.contract().statuses.unknown)?;
            let body = reply.json()?;
            let id = value_at(&cx.contract().fields.error.request_id, &body, "an error")?;
            ensure_eq!(id, own, "an error contains another id than its request");
        }
    }
    let hostile = "\"}\t<script>".repeat(40);
    let Some(endpoint) = endpoints.into_iter().find(has) else {
        return Err(Stop::not_applicable(
            "this target has no route that takes an id",
        ));
    };
    let request = pipeline
        .request(endpoint, unknown)?
        .header("x-request-id", &hostile);
    let reply = pipeline
        .ask(endpoint, request)
        .await?
        .expect_status(&cx.contract().statuses.unknown)?;
    expect_error_body(&reply, cx.contract())?;
    let returned = reply.header("x-request-id").unwrap_or_default();
    ensure!(
        returned != hostile,
        "an invalid request id is returned unchanged"
    );
    Ok(())
}

/// More requests than a process has database connections.
const REFUSALS: usize = 24;

/// The service still works after many refused requests.
async fn refusals_exhaust_no_resources(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let unknown = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let (empty, no_proof) = (serde_json::json!({}), Proof::default());
    for _ in 0..REFUSALS {
        let (retried, unknown_job, invalid, job, document, deleted, callback, search) = futures::join!(
            pipeline.retry(accepted.job_id),
            pipeline.retry(unknown),
            pipeline.register_as(&empty),
            pipeline.job(unknown),
            pipeline.document(unknown),
            pipeline.delete(unknown),
            pipeline.callback(accepted.job_id, "{}", &no_proof),
            pipeline.search("", 1),
        );
        for reply in [
            retried,
            unknown_job,
            invalid,
            job,
            document,
            deleted,
            callback,
            search,
        ] {
            // The target does not have every route.
            let reply = match reply {
                Err(Stop::Skip { .. }) => continue,
                reply => reply?,
            };
            ensure!(
                reply.status < 500,
                "after several refusals, {} is answered with {}",
                reply.request,
                reply.summary()
            );
        }
    }
    cx.pipeline()?.complete(&cx.document().build()).await?;
    Ok(())
}

/// The number of status requests: those of an impatient user in one minute.
const STATUS_REQUESTS: u64 = 60;

/// Many status requests leave no additional connections to the database open.
async fn status_polling_leaks_no_connections(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let before = connections(cx).await?;
    for _ in 0..STATUS_REQUESTS {
        pipeline.show(&accepted).await?.expect_status(200)?;
    }
    let after = connections(cx).await?;
    // Other checks run at the same time and may open connections, too.
    ensure!(
        after < before + STATUS_REQUESTS / 2,
        "after {STATUS_REQUESTS} status requests the database has {after} connections, instead of {before}"
    );
    Ok(())
}

/// The number of connections to the database, including those of other clients.
async fn connections(cx: &Context) -> CheckResult<u64> {
    let query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()";
    Ok(cx.database()?.count(query, &[]).await?)
}
