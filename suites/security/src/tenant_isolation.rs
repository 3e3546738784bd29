//! Tenant isolation: the token alone identifies the user, and users do not affect each other.

use std::iter;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request};
use serde_json::{Value, json};

use cutover_suite_support::outcomes::search_hits;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(only_the_token_identifies_the_user, CLAIMED_USERS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(another_users_failure_leaves_a_document_intact)
            .only_where([Condition::RAW_PATH, Condition::PARSED_PATH])
            .requires([Http, Database, Storage])
            .reads([
                read::document::PROCESSING_STATUS,
                read::CHUNKS,
                read::chunk::CHUNK_SHA.if_given(),
                read::chunk::EMBEDDING.if_given(),
                read::chunk::UPDATED_AT.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(stored_objects_are_not_public)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Storage])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// A place in which a request names another user.
pub(super) struct ClaimedUser {
    name: &'static str,
    names: &'static [&'static str],
    /// Adds the user id under one of the names.
    claim: fn(Request, &str, Uuid, &Value) -> Request,
}

impl Named for ClaimedUser {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Names of fields and parameters for a user id.
const NAMES: &[&str] = &[
    "user_id",
    "userId",
    "user",
    "owner",
    "owner_id",
    "tenant_id",
];

const CLAIMED_USERS: &[ClaimedUser] = &[
    ClaimedUser {
        name: "in_the_query_string",
        names: NAMES,
        claim: |request, name, user, body| {
            let request = request.query([(name, user.to_string())]);
            with(request, body)
        },
    },
    ClaimedUser {
        name: "in_a_header",
        names: &[
            "x-user-id",
            "x-user",
            "x-auth-user",
            "x-authenticated-user",
            "x-forwarded-user",
            "x-tenant-id",
            "x-supabase-user",
        ],
        claim: |request, name, user, body| with(request.header(name, user.to_string()), body),
    },
    ClaimedUser {
        name: "in_the_body",
        names: NAMES,
        claim: |request, name, user, body| {
            let mut body = body.clone();
            if body.is_object() {
                body[name] = json!(user);
            }
            with(request, &body)
        },
    },
];

/// The request with this body, if there is one.
fn with(request: Request, body: &Value) -> Request {
    if body.is_object() {
        return request.json(body);
    }
    request
}

/// The response depends on the token only, whatever other user the request names.
async fn only_the_token_identifies_the_user(cx: &Context, case: &ClaimedUser) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    let (job, id) = (done.job_id().to_string(), done.document_id().to_string());
    let stranger = cx.pipeline()?;
    let results = &cx.contract().fields.search.results;
    let search = cx.contract().requests.search.body(document.title(), 5);
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence == Presence::Required)
    };
    let asked = [
        (Endpoint::Jobs, "", Value::Null),
        (Endpoint::Job, job.as_str(), Value::Null),
        (Endpoint::Document, id.as_str(), Value::Null),
        (Endpoint::Search, "", search),
    ];
    for (endpoint, thing, body) in asked.iter().filter(|(endpoint, ..)| has(endpoint)) {
        for name in case.names {
            let request = stranger.request(*endpoint, thing)?;
            let request = (case.claim)(request, name, tenant.user_id, body);
            let reply = stranger.http().send(request).await;
            let reply = reply.map_err(HttpError::into_stop)?;
            let text = match reply.json() {
                // A search response may repeat the query, so only its results count.
                Ok(body) if *endpoint == Endpoint::Search => {
                    results.find(&body).map(Value::to_string)
                }
                _ => Some(reply.text()),
            };
            let text = text.unwrap_or_default();
            let private = [job.as_str(), &id, document.nonce()];
            // An error may repeat the ids of the request.
            let leaks = reply.is_success() && private.iter().any(|word| text.contains(word));
            ensure!(
                !leaks,
                "a request that names another user as '{name}' returns data of that user: {} to {}",
                reply.summary(),
                reply.request
            );
        }
    }
    Ok(())
}

/// Another user's document with the same bytes can fail and be deleted without an effect on a complete document.
async fn another_users_failure_leaves_a_document_intact(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let owner = cx.pipeline_as(tenant.clone())?;
    let done = owner.complete(&document).await?;
    let id = done.document_id();
    let before = cx.database()?.chunks_of(id).await?;
    let stranger = cx.pipeline()?;
    let failing = stranger.accept(document.upload()).await?;
    let other = cx.document().build();
    stranger.put(&failing.signed_url, other.bytes()).await?;
    let failed = stranger.until_final(&failing).await?;
    ensure!(
        cx.contract().vocabulary.is_failure(&failed.status),
        "a document whose bytes differ from their registration does not fail: {}",
        failed.summary()
    );
    if cx.contract().has(Endpoint::DeleteDocument) {
        stranger.delete(failing.document_id).await?;
    }
    let complete = Some(cx.contract().vocabulary.complete_document().to_owned());
    let row = cx.database()?.document(id).await?;
    ensure_eq!(
        row.and_then(|row| row.processing_status),
        complete,
        "a document is no longer complete after another user's document with the same bytes failed"
    );
    ensure!(
        cx.database()?.chunks_of(id).await? == before,
        "the chunks of a document changed when another user's document with the same bytes failed"
    );
    let (storage, contract) = (cx.storage()?, cx.contract());
    for path in [
        contract.raw_path(tenant.user_id, id),
        contract.parsed_path(tenant.user_id, id),
    ] {
        ensure!(
            storage.exists(&path).await?,
            "{path} is missing after another user's document with the same bytes was deleted"
        );
    }
    if cx.contract().has(Endpoint::Search) {
        let found = search_hits(cx, &owner, document.nonce(), 3).await?;
        ensure!(
            !found.is_empty(),
            "a document is no longer found after another user's document with the same bytes failed"
        );
    }
    Ok(())
}

/// The storage routes that return an object: public ones and those for a token.
const OBJECT_ROUTES: &[&str] = &["public/", "authenticated/", "", "info/public/"];

/// The storage returns objects to the service only, whatever the path.
async fn stored_objects_are_not_public(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    let (contract, id) = (cx.contract(), done.document_id());
    let (storage, stranger) = (cx.storage()?, cx.tenant()?);
    let http = cx.pipeline()?.http().surface("storage");
    let raw = contract.raw_path(tenant.user_id, id);
    let has_parsed = contract.storage.has_parsed_path();
    let parsed = has_parsed.then(|| contract.parsed_path(tenant.user_id, id));
    for path in iter::once(raw).chain(parsed) {
        for route in OBJECT_ROUTES {
            let mut url = storage.supabase().clone();
            url.set_path(&format!("/storage/v1/object/{route}{path}"));
            let anonymous = Request::get(url.clone());
            let authenticated = Request::get(url).bearer(&stranger.token);
            for request in [anonymous, authenticated] {
                let reply = http.send(request).await.map_err(HttpError::into_stop)?;
                ensure!(
                    !reply.is_success(),
                    "{} returns an object without the service key",
                    reply.request
                );
            }
        }
    }
    Ok(())
}
