//! Users: one is whom one's token names, and what one does is no other user's affair.

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
        check!(only_the_token_identifies_the_user, PRETENCES)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(another_users_failure_leaves_a_document_intact)
            .requires([Http, Database, Storage])
            .effect(WriteTenant)
            .severity(Critical),
        check!(stored_objects_are_not_public)
            .requires([Http, Storage])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// A way to name another user than the token does.
pub(super) struct Pretence {
    name: &'static str,
    words: &'static [&'static str],
    /// Names the user under one of the words.
    pretend: fn(Request, &str, Uuid, &Value) -> Request,
}

impl Named for Pretence {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// What services call a user.
const WORDS: &[&str] = &[
    "user_id",
    "userId",
    "user",
    "owner",
    "owner_id",
    "tenant_id",
];

const PRETENCES: &[Pretence] = &[
    Pretence {
        name: "in_the_query_string",
        words: WORDS,
        pretend: |request, word, user, body| {
            let request = request.query([(word, user.to_string())]);
            with(request, body)
        },
    },
    Pretence {
        name: "in_a_header",
        words: &[
            "x-user-id",
            "x-user",
            "x-auth-user",
            "x-authenticated-user",
            "x-forwarded-user",
            "x-tenant-id",
            "x-supabase-user",
        ],
        pretend: |request, word, user, body| with(request.header(word, user.to_string()), body),
    },
    Pretence {
        name: "in_the_body",
        words: WORDS,
        pretend: |request, word, user, body| {
            let mut body = body.clone();
            if body.is_object() {
                body[word] = json!(user);
            }
            with(request, &body)
        },
    },
];

/// The request with this body, where it is one.
fn with(request: Request, body: &Value) -> Request {
    if body.is_object() {
        return request.json(body);
    }
    request
}

/// Whomever else a request names, it is answered to whom the token names.
async fn only_the_token_identifies_the_user(cx: &Context, case: &Pretence) -> CheckResult {
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
        for word in case.words {
            let request = stranger.request(*endpoint, thing)?;
            let request = (case.pretend)(request, word, tenant.user_id, body);
            let reply = stranger.http().send(request).await;
            let reply = reply.map_err(HttpError::into_stop)?;
            let told = match reply.json() {
                // What was searched for may be repeated beside what was found.
                Ok(body) if *endpoint == Endpoint::Search => {
                    results.find(&body).map(Value::to_string)
                }
                _ => Some(reply.text()),
            };
            let told = told.unwrap_or_default();
            let tells = [job.as_str(), &id, document.nonce()];
            // An error may repeat what was asked for; nobody asked for the rest.
            let is_told = reply.is_success() && tells.iter().any(|word| told.contains(word));
            ensure!(
                !is_told,
                "whoever names another user as '{word}' is told what is the other's: {} to {}",
                reply.summary(),
                reply.request
            );
        }
    }
    Ok(())
}

/// Somebody else's registration of the same bytes that fails, or is deleted, is nothing to a document that arrived.
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
        "a document with other bytes than the registered ones does not fail: {}",
        failed.summary()
    );
    stranger.delete(failing.document_id).await?;
    let complete = Some(cx.contract().vocabulary.complete.clone());
    let row = cx.database()?.document(id).await?;
    ensure_eq!(
        row.and_then(|row| row.processing_status),
        complete,
        "a document is not complete any more after somebody else's of the same bytes has failed"
    );
    ensure!(
        cx.database()?.chunks_of(id).await? == before,
        "the chunks of a document changed when somebody else's of the same bytes failed"
    );
    let (storage, contract) = (cx.storage()?, cx.contract());
    for path in [
        contract.raw_path(tenant.user_id, id),
        contract.parsed_path(tenant.user_id, id),
    ] {
        ensure!(
            storage.exists(&path).await?,
            "{path} is gone after somebody else's document of the same bytes was deleted"
        );
    }
    let found = search_hits(cx, &owner, document.nonce(), 3).await?;
    ensure!(
        !found.is_empty(),
        "a document is not found any more after somebody else's of the same bytes has failed"
    );
    Ok(())
}

/// Where storage shows an object: with a key, with a token, or to everybody.
const SHOWN: &[&str] = &["public/", "authenticated/", "", "info/public/"];

/// Whoever has no key of the service is shown no object, whatever its path.
async fn stored_objects_are_not_public(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let done = cx.pipeline_as(tenant.clone())?.complete(&document).await?;
    let (contract, id) = (cx.contract(), done.document_id());
    let (storage, stranger) = (cx.storage()?, cx.tenant()?);
    let http = cx.pipeline()?.http().surface("storage");
    for path in [
        contract.raw_path(tenant.user_id, id),
        contract.parsed_path(tenant.user_id, id),
    ] {
        for place in SHOWN {
            let mut url = storage.supabase().clone();
            url.set_path(&format!("/storage/v1/object/{place}{path}"));
            let nobodys = Request::get(url.clone());
            let strangers = Request::get(url).bearer(&stranger.token);
            for request in [nobodys, strangers] {
                let reply = http.send(request).await.map_err(HttpError::into_stop)?;
                ensure!(
                    !reply.is_success(),
                    "{} shows an object to whoever asks",
                    reply.request
                );
            }
        }
    }
    Ok(())
}
