//! Identity headers: no header, cookie or parameter replaces the user, the method or the path of a request.

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Contract, Endpoint};
use cutover_harness::prelude::*;
use cutover_harness::probe::{Request, Response};
use serde_json::Value;

use super::client_headers::{send, with};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(client_headers_name_no_user)
            .requires([Http, Database])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(client_headers_replace_no_method_or_path)
            .requires([Http, Database])
            .calls([
                Endpoint::Job,
                Endpoint::Jobs,
                Endpoint::Document,
                Endpoint::DeleteDocument,
                Endpoint::Health,
            ])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Headers by which gateways tell a service who the user is, or what he may do.
const USER_HEADERS: &[&str] = &[
    "x-user-id",
    "x-user",
    "x-userid",
    "user-id",
    "x-auth-user",
    "x-auth-user-id",
    "x-authenticated-user",
    "x-authenticated-userid",
    "x-forwarded-user",
    "x-forwarded-preferred-username",
    "x-remote-user",
    "remote-user",
    "x-webauth-user",
    "x-sub",
    "x-jwt-sub",
    "x-subject",
    "x-supabase-user",
    "x-supabase-user-id",
    "x-tenant",
    "x-tenant-id",
    "x-account-id",
    "x-owner-id",
    "x-impersonate-user",
    "x-act-as",
    "x-on-behalf-of",
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-credential-identifier",
    "x-hasura-user-id",
    "x-goog-authenticated-user-id",
    "x-ms-client-principal-id",
    "x-amzn-oidc-identity",
    "x-api-user",
    "x-client-id",
    "cf-access-authenticated-user-id",
];
const EMAIL_HEADERS: &[&str] = &[
    "x-user-email",
    "x-forwarded-email",
    "x-auth-request-email",
    "x-email",
    "cf-access-authenticated-user-email",
];
const POWER_HEADERS: &[(&str, &str)] = &[
    ("x-role", "service_role"),
    ("x-user-role", "admin"),
    ("x-admin", "true"),
    ("x-is-admin", "1"),
    ("x-internal", "true"),
    ("x-internal-request", "1"),
    ("x-debug", "1"),
    ("x-test", "1"),
    ("x-dev-mode", "true"),
    ("x-skip-auth", "1"),
    ("x-bypass-auth", "true"),
    ("x-authenticated", "true"),
    ("x-verified", "true"),
    ("x-service-role", "true"),
    ("x-hasura-role", "admin"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("x-ssl-client-verify", "SUCCESS"),
    ("x-consumer-groups", "admin"),
    ("x-scopes", "*"),
    ("apikey", "anon"),
];

/// The request with all these headers, with the id and address of this user.
fn claiming(request: Request, user: Uuid, email: &str) -> Request {
    let id = user.to_string();
    let request = USER_HEADERS
        .iter()
        .fold(request, |request, name| request.header(name, &id));
    let request = EMAIL_HEADERS
        .iter()
        .filter(|_| !email.is_empty())
        .fold(request, |request, name| request.header(name, email));
    let request = with(request, POWER_HEADERS);
    request.header(
        "cookie",
        format!("user_id={id}; sub={id}; role=service_role"),
    )
}

/// Headers and cookies that name another user give no access to his data, and none without a token.
async fn client_headers_name_no_user(cx: &Context) -> CheckResult {
    let (victim, caller) = (cx.tenant()?, cx.tenant()?);
    let owner = cx.pipeline_as(victim.clone())?;
    let document = cx.document().build();
    let done = owner.complete(&document).await?;
    let claim = |request: Request| claiming(request, victim.user_id, &victim.email);
    let stranger = cx.pipeline_as(caller.clone())?;
    let search = cx.contract().requests.search.body(document.nonce(), 3);
    let other = cx.document().build();
    let registration = cx.contract().requests.upload.body(other.upload());
    for (pipeline, has_token) in [(stranger.clone(), true), (stranger.anonymous(), false)] {
        for (endpoint, id) in [
            (Endpoint::Job, done.job_id()),
            (Endpoint::Jobs, done.job_id()),
            (Endpoint::Document, done.document_id()),
            (Endpoint::Search, done.job_id()),
            (Endpoint::Limits, done.job_id()),
            (Endpoint::Upload, done.job_id()),
            (Endpoint::Retry, done.job_id()),
            (Endpoint::DeleteDocument, done.document_id()),
            (Endpoint::Callback, done.job_id()),
        ] {
            let Ok(request) = pipeline.request(endpoint, id) else {
                continue;
            };
            let request = with_body(endpoint, request, &search, &registration);
            let reply = pipeline.ask(endpoint, claim(request)).await?;
            if !has_token || endpoint == Endpoint::Callback {
                ensure!(
                    is_refusal(cx.contract(), endpoint, reply.status),
                    "{} with headers that name a user, without a token, is answered with {}",
                    reply.request,
                    reply.summary()
                );
            }
            expect_nothing_of(&reply, &done.accepted, document.nonce(), endpoint)?;
        }
    }
    expect_owners_only(cx, victim.user_id, caller.user_id, &done.accepted).await?;
    if cx.contract().has(Endpoint::Document) {
        owner
            .document(done.document_id())
            .await?
            .expect_status(200)?;
    }
    Ok(())
}

/// Whether a request without a token is refused, in the words of the contract.
fn is_refusal(contract: &Contract, endpoint: Endpoint, status: u16) -> bool {
    let statuses = &contract.statuses;
    if endpoint != Endpoint::Callback {
        return statuses.unauthenticated.include(status) || matches!(status, 401 | 403);
    }
    let auth = contract.callback.auth;
    // Callbacks without any proof are the subject of a check of their own.
    !auth.is_given()
        || statuses.callback_unauthenticated.include(status)
        || matches!(status, 401 | 403)
        || (auth.is_in_url() && status == 404)
}

/// The request with the body that its endpoint needs.
fn with_body(endpoint: Endpoint, request: Request, search: &Value, upload: &Value) -> Request {
    match endpoint {
        Endpoint::Search => request.json(search),
        Endpoint::Upload => request.json(upload),
        Endpoint::Callback => request.body(
            "application/json",
            r#"{"status":"failed","error":"forged"}"#,
        ),
        Endpoint::Job
        | Endpoint::Jobs
        | Endpoint::Retry
        | Endpoint::Document
        | Endpoint::DeleteDocument
        | Endpoint::Limits
        | Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Version
        | Endpoint::Metrics => request,
    }
}

/// The response tells nothing about the document.
fn expect_nothing_of(
    reply: &Response,
    accepted: &Accepted,
    nonce: &str,
    endpoint: Endpoint,
) -> CheckResult {
    let text = reply.text();
    let by_id = [Endpoint::Job, Endpoint::Document, Endpoint::Retry].contains(&endpoint);
    ensure!(
        !by_id || !reply.is_success(),
        "a header that names a user gives access to {}",
        reply.request
    );
    let lists = [Endpoint::Jobs, Endpoint::Search].contains(&endpoint);
    ensure!(
        !lists || !(text.contains(nonce) || text.contains(&accepted.job_id.to_string())),
        "a header that names a user shows his data: {}",
        reply.summary()
    );
    Ok(())
}

/// The registration became the caller's, and the other user still has exactly his document.
async fn expect_owners_only(
    cx: &Context,
    victim: Uuid,
    caller: Uuid,
    accepted: &Accepted,
) -> CheckResult {
    let database = cx.database()?;
    let ids = async |user| {
        let rows = database.documents_of(user).await?;
        Ok::<_, Stop>(rows.iter().map(|row| row.document_id).collect::<Vec<_>>())
    };
    ensure_eq!(
        ids(victim).await?,
        [accepted.document_id],
        "a header that names a user changes his documents"
    );
    ensure_eq!(
        ids(caller).await?.len(),
        1,
        "a registration belongs to another user than its token's"
    );
    Ok(())
}

/// Headers that replace the method.
const METHOD_HEADERS: &[&str] = &[
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "_method",
    "x-original-method",
    "x-forwarded-method",
    "x-rewrite-method",
];
/// Headers that replace the path.
const PATH_HEADERS: &[&str] = &[
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-original-uri",
    "x-forwarded-path",
    "x-override-url",
    "x-envoy-original-path",
    "x-accel-redirect",
    "x-proxy-url",
    "request-uri",
    "x-uri",
    "x-url",
    "destination",
];

/// A request is answered by its own method and path, whatever headers say: nothing is deleted, and nothing is read
/// without a token.
async fn client_headers_replace_no_method_or_path(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&cx.document().build()).await?;
    let id = done.document_id();
    for method in ["DELETE", "delete"] {
        let show = pipeline.request(Endpoint::Document, id)?;
        let overriding = METHOD_HEADERS
            .iter()
            .fold(show, |request, name| request.header(name, method));
        let with_query = overriding.clone().query([("_method", method)]);
        for request in [overriding, with_query] {
            send(&pipeline, request).await?.expect_status(200)?;
        }
    }
    expect_stored(cx, id).await?;
    let path =
        |endpoint, id| Ok::<_, Stop>(pipeline.request(endpoint, id)?.url().path().to_owned());
    let (open, closed) = (
        path(Endpoint::Health, id)?,
        path(Endpoint::Job, done.job_id())?,
    );
    // A path that is open does not open another one.
    let anonymous = pipeline.anonymous();
    for (endpoint, id) in [
        (Endpoint::Job, done.job_id()),
        (Endpoint::Jobs, id),
        (Endpoint::Document, id),
    ] {
        let request = anonymous.request(endpoint, id)?;
        let request = PATH_HEADERS
            .iter()
            .fold(request, |request, name| request.header(name, &open));
        let reply = send(&anonymous, request).await?;
        ensure!(
            is_refusal(cx.contract(), endpoint, reply.status),
            "{} without a token, with headers that name an open path, is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    // An open path does not answer for a closed one.
    let health = anonymous.request(Endpoint::Health, "")?;
    let health = PATH_HEADERS
        .iter()
        .fold(health, |request, name| request.header(name, &closed));
    let reply = send(&anonymous, health).await?;
    ensure!(
        !reply.text().contains(&done.job_id().to_string()),
        "headers that name a path make {} answer for it",
        reply.request
    );
    let delete_path = path(Endpoint::DeleteDocument, id)?;
    let list = pipeline.request(Endpoint::Jobs, "")?;
    let list = PATH_HEADERS
        .iter()
        .fold(list, |request, name| request.header(name, &delete_path));
    let list = METHOD_HEADERS
        .iter()
        .fold(list, |request, name| request.header(name, "DELETE"));
    send(&pipeline, list).await?.expect_status(200)?;
    expect_stored(cx, id).await
}

async fn expect_stored(cx: &Context, document: Uuid) -> CheckResult {
    ensure!(
        cx.database()?.document(document).await?.is_some(),
        "a header that names the method DELETE deletes a document"
    );
    Ok(())
}
