//! Back doors: ways in that no contract knows are open to nobody, and to no stranger.

use std::time::Instant;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Endpoint};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Reply, Request, Silence};
use futures::future::try_join_all;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(undocumented_routes_are_closed, DOORS)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(bytes_are_accepted_at_the_signed_url_only, INTRUDERS)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// A route that services were seen to have open.
pub(super) struct Door {
    name: &'static str,
    path: &'static str,
}

impl Named for Door {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Routes that services were seen to have open, below the API's prefix.
const DOORS: &[Door] = &[
    Door {
        name: "test_uploads",
        path: "/upload-test",
    },
    Door {
        name: "legacy_uploads",
        path: "/upload-document-backend-no-auth",
    },
    Door {
        name: "uploads_by_proxy",
        path: "/upload-file/00000000-0000-4000-8000-000000000001",
    },
    Door {
        name: "debugging",
        path: "/debug",
    },
    Door {
        name: "debugging_of_authentication",
        path: "/debug-auth",
    },
    Door {
        name: "testing_of_callbacks",
        path: "/webhook/test",
    },
];

/// Nobody gets in where nothing should be: not by reading, not by writing.
async fn undocumented_routes_are_closed(cx: &Context, case: &Door) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let said = &cx.contract().requests.upload;
    let registration = said.body(cx.document().build().upload());
    for prefix in ["", &cx.contract().prefix, &cx.contract().webhook_prefix] {
        let mut url = pipeline.request(Endpoint::Health, "")?.url().clone();
        url.set_path(&format!("{prefix}{}", case.path));
        for request in [
            Request::get(url.clone()),
            Request::post(url.clone()).json(&registration),
            Request::put(url.clone()).body("application/pdf", *b"%PDF"),
        ] {
            is_shut(&sent(&pipeline, request).await?)?;
        }
    }
    Ok(())
}

async fn sent(pipeline: &Pipeline, request: Request) -> CheckResult<Reply> {
    let reply = pipeline.http().send(request).await;
    reply.map_err(HttpError::into_stop)
}

fn is_shut(reply: &Reply) -> CheckResult {
    ensure!(
        matches!(reply.status, 401 | 403 | 404 | 405),
        "{} is answered to nobody with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}

/// Who tries to store bytes for somebody else's job.
pub(super) struct Intruder {
    name: &'static str,
    has_token: bool,
}

impl Named for Intruder {
    fn name(&self) -> &'static str {
        self.name
    }
}

const INTRUDERS: &[Intruder] = &[
    Intruder {
        name: "anonymous",
        has_token: false,
    },
    Intruder {
        name: "another_user",
        has_token: true,
    },
];

/// Ways around the signed address that services were seen to have, or would call so.
const AROUND: &[&str] = &[
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

/// What an intruder would store.
const FORGED: &[u8] = b"%PDF-1.4 forged";

/// Whoever knows a job, and not its signed address, stores nothing for it: the bytes of its owner are the first.
async fn bytes_are_accepted_at_the_signed_url_only(cx: &Context, case: &Intruder) -> CheckResult {
    let tenant = cx.tenant()?;
    let owner = cx.pipeline_as(tenant.clone())?;
    let document = cx.document().build();
    let since = Instant::now();
    let accepted = owner.accept(document.upload()).await?;
    let path = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let intruder = cx.pipeline()?;
    for around in AROUND {
        let around = addressed(around, &accepted, &path);
        let mut requests = Vec::new();
        for prefix in ["", &cx.contract().prefix] {
            let mut url = owner.request(Endpoint::Health, "")?.url().clone();
            url.set_path(&format!("{prefix}{around}"));
            for request in [Request::put(url.clone()), Request::post(url.clone())] {
                requests.push(request.body("application/pdf", FORGED));
            }
        }
        let tries = requests.into_iter();
        try_join_all(tries.map(|request| gets_nowhere(&intruder, request, case.has_token))).await?;
    }
    let put = owner.put(&accepted.signed_url, document.bytes()).await?;
    if !put.is_success() && since.elapsed() >= cx.contract().limits.url_ttl {
        // This machine is too busy to be in time; that everything was refused has been seen.
        return Ok(());
    }
    ensure!(
        put.is_success(),
        "the signed address takes no bytes any more, after somebody else tried to store some: {}",
        put.summary()
    );
    owner.until_complete(&accepted).await?;
    Ok(())
}

fn addressed(around: &str, accepted: &Accepted, path: &str) -> String {
    around
        .replace("{job}", &accepted.job_id.to_string())
        .replace("{document}", &accepted.document_id.to_string())
        .replace("{path}", path)
}

async fn gets_nowhere(intruder: &Pipeline, request: Request, has_token: bool) -> CheckResult {
    let token = intruder.tenant().filter(|_| has_token);
    let request = match token {
        Some(tenant) => request.bearer(&tenant.token),
        None => request,
    };
    // Who refuses may hang up before the bytes have come; the connection is nobody else's.
    let request = request.header("connection", "close");
    let reply = match intruder.http().send(request).await {
        Err(HttpError::NoAnswer {
            silence: Silence::Cut(_),
            ..
        }) => return Ok(()),
        answer => answer.map_err(HttpError::into_stop)?,
    };
    if token.is_none() {
        return is_shut(&reply);
    }
    // What a route says to a stranger's nonsense is its own affair, as long as it does nothing.
    ensure!(
        !reply.is_success(),
        "{} is answered to another user with {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}
