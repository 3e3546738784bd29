//! Cross-origin requests: browsers may read responses only for the origins that the contract names.

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Endpoint;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Method, Request, Response};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(only_agreed_origins_may_read_responses)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Origins of other sites.
const FOREIGN: &[&str] = &[
    "https://evil.example",
    "http://evil.example:8080",
    "null",
    "file://",
    "http://localhost",
    "http://localhost:3000",
    "https://localhost.evil.example",
    "http://127.0.0.1",
    "chrome-extension://abcdefghijklmnop",
    "*",
];

/// Origins that resemble an origin: with more before and behind its host, and other schemes and ports.
fn lookalikes(origin: &str) -> Vec<String> {
    let Some((scheme, host)) = origin.split_once("://") else {
        return Vec::new();
    };
    let bare = host.split(':').next().unwrap_or(host);
    let other = if scheme == "https" { "http" } else { "https" };
    vec![
        format!("{scheme}://{host}.evil.example"),
        format!("{scheme}://{bare}.evil.example"),
        format!("{scheme}://evil{host}"),
        format!("{scheme}://evil.example/{host}"),
        format!("{scheme}://evil-{host}"),
        format!("{scheme}://sub.{host}"),
        format!("{scheme}://{host}@evil.example"),
        format!("{scheme}://evil.example#{host}"),
        format!("{scheme}://{bare}_.evil.example"),
        format!("{scheme}://{}", bare.replace('.', "x")),
        format!("{other}://{host}"),
        format!("{scheme}://{bare}:1"),
        format!("{origin}0"),
        origin.to_uppercase(),
    ]
}

/// No response and no preflight allows an origin that the contract does not name.
async fn only_agreed_origins_may_read_responses(cx: &Context) -> CheckResult {
    let agreed = &cx.contract().cross_origin.origins;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.accept(cx.document().build().upload()).await?;
    let own = pipeline
        .request(Endpoint::Upload, "")?
        .url()
        .origin()
        .ascii_serialization();
    let mut origins: Vec<String> = FOREIGN.iter().map(|origin| (*origin).to_owned()).collect();
    for origin in agreed.iter().chain([&own]) {
        origins.extend(lookalikes(origin));
    }
    origins.retain(|origin| !agreed.contains(origin));
    for endpoint in [
        Endpoint::Jobs,
        Endpoint::Job,
        Endpoint::Upload,
        Endpoint::Health,
        Endpoint::Callback,
    ] {
        let Ok(request) = pipeline.request(endpoint, accepted.job_id) else {
            continue;
        };
        for origin in &origins {
            let actual = request.clone().header("origin", origin);
            expect_not_allowed(&send(&pipeline, actual).await?, origin, agreed)?;
            let preflight = Request::new(Method::OPTIONS, request.url().clone())
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header(
                    "access-control-request-headers",
                    "authorization,content-type",
                );
            expect_not_allowed(&send(&pipeline, preflight).await?, origin, agreed)?;
        }
    }
    expect_agreed_allowed(&pipeline, agreed).await
}

async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Response> {
    pipeline
        .http()
        .send(request)
        .await
        .map_err(HttpError::into_stop)
}

/// The response names neither the origin nor, unless agreed, every origin; and credentials never go to every origin.
fn expect_not_allowed(reply: &Response, origin: &str, agreed: &[String]) -> CheckResult {
    let all = agreed.iter().any(|agreed| agreed == "*");
    let allowed = reply.headers.get_all("access-control-allow-origin");
    for allowed in allowed
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
    {
        let credentials = reply.header("access-control-allow-credentials") == Some("true");
        let is_open = allowed == "*" || allowed.eq_ignore_ascii_case(origin);
        ensure!(
            !is_open || (all && !credentials),
            "the response to {} allows the origin {origin} (Access-Control-Allow-Origin: {allowed}, with credentials: \
             {credentials})",
            reply.request
        );
    }
    Ok(())
}

/// The agreed origins are allowed, each by its own name.
async fn expect_agreed_allowed(pipeline: &Pipeline, agreed: &[String]) -> CheckResult {
    for origin in agreed.iter().filter(|origin| *origin != "*") {
        // A target without a list of jobs has no other route that a page of the agreed origin surely reads.
        let Ok(request) = pipeline.request(Endpoint::Jobs, "") else {
            return Ok(());
        };
        let reply = send(pipeline, request.header("origin", origin)).await?;
        let allowed = reply
            .header("access-control-allow-origin")
            .unwrap_or_default();
        ensure!(
            allowed == origin || allowed == "*",
            "the response to {} does not allow the agreed origin {origin}, but '{allowed}'",
            reply.request
        );
    }
    Ok(())
}
