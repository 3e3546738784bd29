//! Client headers: nothing that a client may send decides about addresses or limits.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Endpoint};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request, Response};
use cutover_harness::standin::{Callback, CallbackStatus, ParserBehaviour};

use cutover_suite_support::outcomes::{self, expect_complete};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(client_headers_decide_about_no_address, ADDRESS_HEADERS)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Retry])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(Critical),
        check!(client_headers_change_no_limit)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A host that belongs to nobody in the test.
const EVIL: &str = "evil.example";

/// Headers with the address of another host.
pub(super) struct AddressHeaders {
    name: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// Whether a service may refuse such a request.
    refusable: bool,
}

impl Named for AddressHeaders {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn addresses(
    name: &'static str,
    headers: &'static [(&'static str, &'static str)],
) -> AddressHeaders {
    AddressHeaders {
        name,
        headers,
        refusable: false,
    }
}

/// Headers from which services compute their own address. Each row is sent as a whole.
const ADDRESS_HEADERS: &[AddressHeaders] = &[
    addresses(
        "x_forwarded",
        &[
            ("x-forwarded-host", EVIL),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-port", "4443"),
            ("x-forwarded-prefix", "/evil"),
            ("x-forwarded-path", "/evil"),
            ("x-forwarded-scheme", "gopher"),
            ("x-forwarded-ssl", "on"),
            ("x-forwarded-server", EVIL),
            ("x-forwarded-uri", "/evil"),
        ],
    ),
    addresses("x_forwarded_host_alone", &[("x-forwarded-host", EVIL)]),
    addresses(
        "x_forwarded_proto_alone",
        &[("x-forwarded-proto", "gopher")],
    ),
    addresses(
        "x_forwarded_prefix_alone",
        &[("x-forwarded-prefix", "/evil.example")],
    ),
    addresses(
        "a_list_of_forwarded_hosts",
        &[
            ("x-forwarded-host", "evil.example, localhost"),
            ("x-forwarded-host", "evil.example:4443"),
            ("x-forwarded-proto", "gopher,http"),
        ],
    ),
    addresses(
        "forwarded",
        &[(
            "forwarded",
            "for=192.0.2.7;host=evil.example;proto=gopher;by=evil.example",
        )],
    ),
    addresses(
        "other_host_headers",
        &[
            ("x-host", EVIL),
            ("x-original-host", EVIL),
            ("x-http-host-override", EVIL),
            ("x-host-override", EVIL),
            ("x-real-host", EVIL),
            ("x-backend-host", EVIL),
            ("x-envoy-original-host", EVIL),
            ("x-base-url", "https://evil.example"),
            ("x-public-url", "https://evil.example"),
            ("x-callback-url", "https://evil.example/"),
            ("x-webhook-url", "https://evil.example/"),
            ("x-ngrok-host", EVIL),
            ("base-url", "https://evil.example"),
            ("x-supabase-url", "https://evil.example"),
        ],
    ),
    addresses(
        "browser_headers",
        &[
            ("origin", "https://evil.example"),
            ("referer", "https://evil.example/page"),
            ("sec-fetch-site", "cross-site"),
        ],
    ),
    AddressHeaders {
        name: "host",
        headers: &[("host", EVIL)],
        // Allow-lists of hosts are good practice.
        refusable: true,
    },
];

impl AddressHeaders {
    fn apply(&self, request: Request) -> Request {
        with(request, self.headers)
    }
}

/// The request with these headers.
pub(super) fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

/// The response to a request; a missing one is a finding.
pub(super) async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Response> {
    pipeline
        .http()
        .send(request)
        .await
        .map_err(HttpError::into_stop)
}

/// No response contains the address, the signed URL and the callback URL are those of the service, and the document
/// completes. The same holds for a retry.
async fn client_headers_decide_about_no_address(
    cx: &Context,
    case: &AddressHeaders,
) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let document = cx.document().build();
    let plain = pipeline.accept(cx.document().build().upload()).await?;
    let body = cx.contract().requests.upload.body(document.upload());
    let request = case.apply(pipeline.request(Endpoint::Upload, "")?.json(&body));
    let reply = pipeline.ask(Endpoint::Upload, request).await?;
    if case.refusable && (400..500).contains(&reply.status) {
        return Ok(());
    }
    expect_no_address(&reply)?;
    let accepted = Accepted::read(
        &reply.expect_status(&cx.contract().statuses.accepted)?,
        cx.contract(),
    )?;
    ensure_eq!(
        accepted.signed_url.origin().ascii_serialization(),
        plain.signed_url.origin().ascii_serialization(),
        "client headers change where the signed URL leads"
    );
    let script = cx
        .standins()?
        .script_parser(document.sha256(), failure())
        .times(1)
        .await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    pipeline.until_final(&accepted).await?;
    script.withdraw().await?;
    expect_plain_routes(&pipeline, case, &accepted).await?;
    let retry = case.apply(pipeline.request(Endpoint::Retry, accepted.job_id)?);
    let reply = pipeline
        .ask(Endpoint::Retry, retry)
        .await?
        .expect_status(&cx.contract().statuses.retried)?;
    expect_no_address(&reply)?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    for call in cx.standins()?.parser_calls(document.sha256()).await? {
        let url = call.fields.get("webhook_url").cloned().unwrap_or_default();
        let expected = pipeline.callback_url(accepted.job_id, &url)?;
        ensure_eq!(
            url,
            expected.as_str(),
            "client headers change the callback URL"
        );
    }
    Ok(())
}

/// The parser reports a failure.
fn failure() -> ParserBehaviour {
    let error = "rejected by the check".to_owned();
    let callback = Callback {
        status: CallbackStatus::Failed { error },
        ..Callback::default()
    };
    ParserBehaviour::calling_back(callback)
}

/// Routes that only read answer as without the headers.
async fn expect_plain_routes(
    pipeline: &Pipeline,
    case: &AddressHeaders,
    accepted: &Accepted,
) -> CheckResult {
    for (endpoint, id) in [
        (Endpoint::Job, accepted.job_id),
        (Endpoint::Jobs, accepted.job_id),
        (Endpoint::Document, accepted.document_id),
        (Endpoint::Limits, accepted.job_id),
        (Endpoint::Health, accepted.job_id),
        (Endpoint::Version, accepted.job_id),
    ] {
        let Ok(request) = pipeline.request(endpoint, id) else {
            continue;
        };
        let plain = send(pipeline, request.clone()).await?;
        let reply = send(pipeline, case.apply(request)).await?;
        if case.refusable && (400..500).contains(&reply.status) {
            continue;
        }
        expect_no_address(&reply)?;
        ensure_eq!(
            reply.status,
            plain.status,
            "client headers change the answer to {endpoint}"
        );
    }
    Ok(())
}

/// Neither the body nor a header of the response contains the other address.
fn expect_no_address(reply: &Response) -> CheckResult {
    let in_header = reply.headers.values().any(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        value.contains(EVIL) || value.contains("gopher")
    });
    let text = reply.text();
    ensure!(
        !in_header && !text.contains(EVIL) && !text.contains("gopher"),
        "the response to {} contains an address that the client sent: {}",
        reply.request,
        reply.summary()
    );
    Ok(())
}

/// Headers from which services read the address of a client.
const CLIENT_HEADERS: &[&str] = &[
    "x-forwarded-for",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-client-ip",
    "client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "fastly-client-ip",
    "fly-client-ip",
    "x-azure-clientip",
    "x-envoy-external-address",
];

/// Addresses that services may trust or count.
const CLIENTS: [&str; 5] = [
    "127.0.0.1",
    "10.0.0.1",
    "::1",
    "192.0.2.9",
    "192.0.2.9, 127.0.0.1",
];

/// A user's limit holds whatever address he claims, and users who claim the same address do not share a limit.
async fn client_headers_change_no_limit(cx: &Context) -> CheckResult {
    let claim = |request: Request, address: &str| {
        let request = CLIENT_HEADERS
            .iter()
            .fold(request, |request, name| request.header(name, address));
        request.header("forwarded", format!("for=\"{address}\""))
    };
    let most = cx.contract().limits.concurrent_jobs as usize;
    let fields = &cx.contract().requests.upload;
    let register = async |pipeline: &Pipeline, address: &str| {
        let body = fields.body(cx.document().build().upload());
        let request = pipeline.request(Endpoint::Upload, "")?.json(&body);
        pipeline
            .ask(Endpoint::Upload, claim(request, address))
            .await
    };
    let pipeline = cx.pipeline()?;
    let mut accepted = 0;
    for address in CLIENTS.iter().cycle().take(most + CLIENTS.len()) {
        let reply = register(&pipeline, address).await?;
        accepted += usize::from(reply.is_success());
    }
    ensure_eq!(
        accepted,
        most,
        "a user who claims other addresses has another limit of active jobs"
    );
    for address in CLIENTS {
        let reply = register(&cx.pipeline()?, address).await?;
        ensure!(
            reply.is_success(),
            "users who claim the same address share a limit: {}",
            reply.summary()
        );
    }
    Ok(())
}
