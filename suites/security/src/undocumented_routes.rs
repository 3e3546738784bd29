//! Undocumented routes: paths that the contract does not list accept nothing, and only the signed URL takes bytes.

use std::collections::BTreeSet;
use std::time::Instant;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, NoResponse, Request, Response};
use cutover_suite_support::unknown_paths::is_answered_like_unknown;
use futures::future::try_join_all;
use serde_json::{Map, Value};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(undocumented_routes_are_closed, OPEN_ROUTES)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(bytes_are_accepted_at_the_signed_url_only, CALLERS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// A route that real services left open by mistake.
pub(super) struct OpenRoute {
    name: &'static str,
    path: &'static str,
}

impl Named for OpenRoute {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Routes that real services left open by mistake, below the API's prefix.
const OPEN_ROUTES: &[OpenRoute] = &[
    OpenRoute {
        name: "test_uploads",
        path: "/upload-test",
    },
    OpenRoute {
        name: "legacy_uploads",
        path: "/upload-document-backend-no-auth",
    },
    OpenRoute {
        name: "uploads_by_proxy",
        path: "/upload-file/00000000-0000-4000-8000-000000000001",
    },
    OpenRoute {
        name: "debugging",
        path: "/debug",
    },
    OpenRoute {
        name: "debugging_of_authentication",
        path: "/debug-auth",
    },
    OpenRoute {
        name: "testing_of_callbacks",
        path: "/webhook/test",
    },
];

/// Undocumented routes reject anonymous reads and writes. What a path that nobody chose answers in the same way, like
/// the page of an application for browsers, is no route.
async fn undocumented_routes_are_closed(cx: &Context, case: &OpenRoute) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let fields = &cx.contract().requests.upload;
    let registration = fields.body(cx.document().build().upload());
    let allowed = &cx.contract().undocumented;
    let documented = documented_routes(cx, &pipeline).await?;
    for prefix in ["", &cx.contract().prefix, &cx.contract().webhook_prefix] {
        let path = format!("{prefix}{}", case.path);
        let url = pipeline.at_path(&path);
        for request in [
            Request::get(url.clone()),
            Request::post(url.clone()).json(&registration),
            Request::put(url.clone()).body("application/pdf", *b"%PDF"),
        ] {
            let method = request.method().as_str().to_owned();
            if allowed.allows(&method, &path) || documented.contains(&(method, path.clone())) {
                continue;
            }
            let reply = send(&pipeline, request.clone()).await?;
            if is_closed(&reply) || is_answered_like_unknown(cx, &pipeline, request, &reply).await?
            {
                continue;
            }
            expect_closed(&reply)?;
        }
    }
    Ok(())
}

/// The methods and paths of the target's own `OpenAPI` document, if the contract names one.
pub(super) async fn documented_routes(
    cx: &Context,
    pipeline: &Pipeline,
) -> CheckResult<BTreeSet<(String, String)>> {
    let Some(at) = cx.contract().undocumented.openapi_path() else {
        return Ok(BTreeSet::new());
    };
    let reply = send(pipeline, Request::get(pipeline.at_path(at))).await?;
    let document = reply.expect_status(200)?.json()?;
    let paths = document.get("paths").and_then(Value::as_object);
    let routes = paths.into_iter().flatten().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flat_map(Map::keys);
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    Ok(routes.collect())
}

async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Response> {
    let reply = pipeline.http().send(request).await;
    reply.map_err(HttpError::into_stop)
}

fn is_closed(reply: &Response) -> bool {
    matches!(reply.status, 401 | 403 | 404 | 405)
}

fn expect_closed(reply: &Response) -> CheckResult {
    ensure!(
        is_closed(reply),
        "{}, without a token, is answered with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}

/// A caller that tries to store bytes for the job of another user.
pub(super) struct Caller {
    name: &'static str,
    has_token: bool,
}

impl Named for Caller {
    fn name(&self) -> &'static str {
        self.name
    }
}

const CALLERS: &[Caller] = &[
    Caller {
        name: "anonymous",
        has_token: false,
    },
    Caller {
        name: "another_user",
        has_token: true,
    },
];

/// Paths of alternative upload routes that real services have or are likely to have.
const UPLOAD_PATHS: &[&str] = &[
    "/upload-file/{job}",
    "/upload-file/{document}",
    "/upload/{job}",
    "/upload/{document}",
    "/upload/{job}/file",
    "/upload/file/{job}",
    "/upload/proxy/{job}",
    "/upload-proxy/{job}",
    "/upload-proxy/{path}",
    "/upload-bytes/{job}",
    "/proxy/upload/{path}",
    "/storage-proxy/{path}",
    "/storage/{path}",
    "/files/{path}",
    "/jobs/{job}/upload",
    "/jobs/{job}/file",
    "/jobs/{job}/bytes",
    "/documents/{document}/upload",
    "/documents/{document}/file",
    "/documents/{document}/content",
];

/// The bytes that the caller tries to store.
const FORGED: &[u8] = b"%PDF-1.4 forged";

/// A caller without the signed URL cannot store bytes for a job, and the owner's upload still succeeds.
async fn bytes_are_accepted_at_the_signed_url_only(cx: &Context, case: &Caller) -> CheckResult {
    let tenant = cx.tenant()?;
    let owner = cx.pipeline_as(tenant.clone())?;
    let document = cx.document().build();
    let since = Instant::now();
    let accepted = owner.accept(document.upload()).await?;
    let path = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let caller = cx.pipeline()?;
    for template in UPLOAD_PATHS {
        let suffix = filled(template, &accepted, &path);
        let mut requests = Vec::new();
        for prefix in ["", &cx.contract().prefix] {
            let mut url = owner.at_path("/");
            url.set_path(&format!("{prefix}{suffix}"));
            for request in [Request::put(url.clone()), Request::post(url.clone())] {
                requests.push(request.body("application/pdf", FORGED));
            }
        }
        let tries = requests.into_iter();
        try_join_all(tries.map(|request| expect_refusal(&caller, request, case.has_token))).await?;
    }
    let put = owner.put(&accepted.signed_url, document.bytes()).await?;
    if !put.is_success() && since.elapsed() >= cx.contract().limits.url_ttl {
        // This machine is too slow for the URL's lifetime; all refusals were still observed.
        return Ok(());
    }
    ensure!(
        put.is_success(),
        "the signed URL refuses the owner's bytes after attempts by another caller: {}",
        put.summary()
    );
    owner.until_complete(&accepted).await?;
    Ok(())
}

fn filled(template: &str, accepted: &Accepted, path: &str) -> String {
    template
        .replace("{job}", &accepted.job_id.to_string())
        .replace("{document}", &accepted.document_id.to_string())
        .replace("{path}", path)
}

async fn expect_refusal(caller: &Pipeline, request: Request, has_token: bool) -> CheckResult {
    let token = caller.tenant().filter(|_| has_token);
    let request = match token {
        Some(tenant) => request.bearer(&tenant.token),
        None => request,
    };
    // A service that refuses may close the connection before the body is sent, so it is not reused.
    let request = request.header("connection", "close");
    let reply = match caller.http().send(request).await {
        Err(HttpError::NoResponse {
            reason: NoResponse::Truncated(_),
            ..
        }) => return Ok(()),
        answer => answer.map_err(HttpError::into_stop)?,
    };
    if token.is_none() {
        return expect_closed(&reply);
    }
    // Any error is acceptable here, as long as the request has no effect.
    ensure!(
        !reply.is_success(),
        "{}, by another user, is answered with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}
