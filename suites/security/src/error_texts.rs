//! Error texts: no response contains a secret, a stack trace, a statement or a path of the service.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::{Log, Request, Response};
use cutover_harness::secret::Secret;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes;
use cutover_suite_support::responses::internals_in;

use super::wrong_requests::{send_to, wrong_requests};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_error_tells_how_the_service_is_built)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Medium),
        check!(no_response_contains_a_secret)
            .requires([Http, Logs])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_refused_callback_tells_no_signature)
            .only_where([Condition::SIGNED_CALLBACKS])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// An error has nothing of the inside of the service, except for what the request itself has.
pub(super) fn expect_no_internals(reply: &Response, asked: &str) -> CheckResult {
    let text = reply.text();
    let found = internals_in(&text).find(|internal| !asked.contains(internal));
    ensure!(
        found.is_none() || reply.is_success(),
        "the response to {} tells how the service is built ('{}'): {}",
        reply.request,
        found.unwrap_or_default(),
        reply.summary()
    );
    Ok(())
}

/// No response to a right or a wrong request contains a secret of the service.
async fn no_response_contains_a_secret(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&cx.document().build()).await?;
    let mut requests = wrong_requests(cx, &pipeline)?;
    for endpoint in [
        Endpoint::Jobs,
        Endpoint::Job,
        Endpoint::Document,
        Endpoint::Limits,
        Endpoint::Retry,
        Endpoint::Health,
        Endpoint::Version,
    ] {
        if cx.contract().has(endpoint) {
            let id = pipeline.id_for(endpoint, &done.accepted);
            let request = pipeline.request(endpoint, id)?;
            let anonymous = Request::get(request.url().clone());
            requests.extend([(endpoint, anonymous), (endpoint, request)]);
        }
    }
    if cx.contract().has(Endpoint::Search) {
        let body = cx.contract().requests.search.body("policy", 3);
        let request = pipeline.request(Endpoint::Search, "")?.json(&body);
        requests.push((Endpoint::Search, request));
    }
    for request in requests {
        let reply = send_to(&pipeline, request).await?;
        let shown = Log {
            process: reply.request.clone(),
            text: format!("{:?}\n{}", reply.headers, reply.text()),
        };
        for (name, secret) in cx.secrets()? {
            ensure!(
                !shown.reveals(secret),
                "the response to {} contains {name}",
                reply.request
            );
        }
    }
    Ok(())
}

/// Whatever is wrong with a request, its response has nothing of the inside of the service.
async fn no_error_tells_how_the_service_is_built(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    for request in wrong_requests(cx, &pipeline)? {
        let reply = send_to(&pipeline, request).await?;
        expect_no_internals(&reply, "")?;
    }
    Ok(())
}

/// The refusal of a forged callback does not contain the right signature.
async fn a_refused_callback_tells_no_signature(cx: &Context) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let body = r##"{"status":"completed","md":"# A text of somebody else"}"##;
    let valid = awaiting.proof(body);
    let signature = valid.signature.clone().unwrap_or_default();
    for forged in [
        valid.tampered(|part| part.chars().rev().collect()),
        valid.tampered(|part| part[..part.len() / 2].to_owned()),
        valid.tampered(|_| String::new()),
    ] {
        let reply = awaiting.send(body, &forged).await?;
        let shown = format!("{:?}\n{}", reply.headers, reply.text());
        ensure!(
            !reveals(&shown, &signature),
            "the refusal of a forged callback contains the right signature, so that its sender can sign: {}",
            reply.summary()
        );
    }
    awaiting.complete(cx).await
}

/// Whether a text has this signature in hexadecimal or base64 notation.
fn reveals(text: &str, signature: &str) -> bool {
    let hexadecimal = signature.rsplit('=').next().unwrap_or(signature);
    if hexadecimal.len() < 32 {
        return false;
    }
    let log = Log {
        process: String::new(),
        text: text.to_owned(),
    };
    text.to_lowercase().contains(&hexadecimal.to_lowercase())
        || log.reveals(&Secret::new(signature))
}
