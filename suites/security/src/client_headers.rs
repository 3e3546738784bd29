//! Client headers: nothing that a client may send decides about addresses, identities, methods or limits.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Endpoint};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request, Response};
use cutover_harness::standin::{Callback, CallbackStatus, ParserBehaviour};

use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(client_headers_decide_about_no_address, ADDRESS_HEADERS)
            .requires([Http, Database, Storage, Standins])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(Critical),
        check!(client_headers_name_no_user)
            .requires([Http, Database])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(client_headers_replace_no_method_or_path)
            .requires([Http, Database])
            .effect(Effect::WriteTenant)
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

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

async fn send(pipeline: &Pipeline, request: Request) -> CheckResult<Response> {
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
    let accepted = Accepted::read(&reply.expect_status(200)?, cx.contract())?;
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
        .expect_status(200)?;
    expect_no_address(&reply)?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let expected = pipeline.request(Endpoint::Callback, accepted.job_id)?;
    for call in cx.standins()?.parser_calls(document.sha256()).await? {
        let url = call.fields.get("webhook_url").cloned().unwrap_or_default();
        ensure_eq!(
            url,
            expected.url().as_str(),
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
    ParserBehaviour {
        callback,
        ..ParserBehaviour::default()
    }
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
            let request = match endpoint {
                Endpoint::Search => request.json(&search),
                Endpoint::Upload => request.json(&registration),
                Endpoint::Callback => request.body(
                    "application/json",
                    r#"{"status":"failed","error":"forged"}"#,
                ),
                _ => request,
            };
            let reply = pipeline.ask(endpoint, claim(request)).await?;
            if !has_token || endpoint == Endpoint::Callback {
                ensure!(
                    matches!(reply.status, 401 | 403),
                    "{} with headers that name a user, without a token, is answered with {}",
                    reply.request,
                    reply.summary()
                );
            }
            expect_nothing_of(&reply, &done.accepted, document.nonce(), endpoint)?;
        }
    }
    expect_owners_only(cx, victim.user_id, caller.user_id, &done.accepted).await?;
    owner
        .document(done.document_id())
        .await?
        .expect_status(200)?;
    Ok(())
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
    let document = cx.document().build();
    let done = pipeline.complete(&document).await?;
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
            matches!(reply.status, 401 | 403),
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
