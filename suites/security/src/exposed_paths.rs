//! Exposed paths: no page for operators, no file of the service and no other version of the API is open.

use std::collections::BTreeSet;

use cutover_harness::prelude::*;
use cutover_harness::probe::{Request, Response};

use super::client_headers::send;
use super::undocumented_routes::documented_routes;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_page_for_operators_is_open)
            .requires([Http])
            .effect(Effect::Read)
            .severity(High),
        check!(every_version_of_a_route_needs_a_token)
            .requires([Http])
            .effect(Effect::Read)
            .severity(Critical),
    ]
}

/// Paths of files, tools and pages that are meant for operators and developers.
const PATHS: &[&str] = &[
    ".env",
    ".env.local",
    ".env.production",
    ".git/HEAD",
    ".git/config",
    ".svn/entries",
    ".DS_Store",
    ".aws/credentials",
    ".npmrc",
    ".htpasswd",
    "id_rsa",
    "config.json",
    "config.yml",
    "settings.json",
    "docker-compose.yml",
    "Dockerfile",
    "backup.sql",
    "dump.sql",
    "backup.zip",
    "database.sqlite",
    "package.json",
    "requirements.txt",
    "Cargo.toml",
    "debug",
    "debug/vars",
    "debug/pprof",
    "debug/pprof/",
    "debug/pprof/heap",
    "debug/requests",
    "debug/config",
    "debug/env",
    "debug/settings",
    "debug/sql",
    "debug/tokens",
    "_debug",
    "__debug__",
    "_debugbar/open",
    "console",
    "_profiler",
    "trace",
    "traces",
    "actuator",
    "actuator/env",
    "actuator/heapdump",
    "actuator/mappings",
    "env",
    "environment",
    "config",
    "configuration",
    "settings",
    "status/full",
    "server-status",
    "server-info",
    "phpinfo.php",
    "heapdump",
    "threads",
    "threaddump",
    "dump",
    "logs",
    "log",
    "errors",
    "jolokia",
    "manage",
    "manager",
    "management",
    "admin",
    "admin/",
    "admin/jobs",
    "admin/users",
    "admin/documents",
    "admin/queue",
    "admin/config",
    "administrator",
    "internal",
    "internal/jobs",
    "internal/config",
    "internal/metrics",
    "internal/debug",
    "private",
    "ops",
    "system",
    "sys",
    "maintenance",
    "queue",
    "queues",
    "queue/stats",
    "workers",
    "worker",
    "tasks",
    "jobs/all",
    "jobs/stats",
    "documents/all",
    "users",
    "users/all",
    "tenants",
    "sessions",
    "tokens",
    "keys",
    "secrets",
    "tables",
    "sql",
    "query",
    "graphql",
    "graphiql",
    "playground",
    "db",
    "database",
    "pgadmin",
    "adminer.php",
    "studio",
    "rest/v1/",
    "storage/v1/bucket",
    "auth/v1/admin/users",
    "dev",
    "seed",
    "reset",
    "flush",
    "cron",
    "webhooks",
    "webhook/test",
    "webhook/logs",
    "events",
    "events/all",
    "audit",
    "export",
    "backup",
    "health/full",
    "health/detail",
    "health/debug",
    "flower",
    "rq",
    "bull",
    "sidekiq",
    "celery",
];

/// Parts of a body that only such a page has.
const SIGNATURES: &[&str] = &[
    "ref: refs/",
    "[core]",
    "propertySources",
    "DATABASE_URL=",
    "SUPABASE_",
    "API_KEY=",
    "SECRET",
    "BEGIN RSA PRIVATE",
    "BEGIN OPENSSH PRIVATE",
    "aws_secret_access_key",
    "PostgreSQL database dump",
    "heap profile",
    "cmdline",
    "__schema",
    "Werkzeug",
    "phpinfo",
    "Apache Server Status",
];

/// Without a token, no such path answers: it does not exist, or refuses. What every unknown path answers does not count,
/// and neither does what the contract or the target's own document of its routes names.
async fn no_page_for_operators_is_open(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let anonymous = pipeline.anonymous();
    let documented = documented_routes(cx, &pipeline).await?;
    let named = paths_of_the_contract(&pipeline);
    for prefix in prefixes(cx) {
        let unknown = ask_unknown_path(cx, &anonymous, prefix).await?;
        for path in PATHS {
            let path = format!("{prefix}/{path}");
            let is_documented = cx.contract().undocumented.allows("GET", &path)
                || documented.contains(&("GET".to_owned(), path.clone()))
                || named.contains(&path);
            if is_documented {
                continue;
            }
            let url = anonymous.at_path(&path);
            let reply = send(&anonymous, Request::get(url.clone())).await?;
            expect_closed(&reply, &unknown, "without a token")?;
            if matches!(reply.status, 401 | 403) {
                let tenant = pipeline.tenant();
                let token = tenant.map(|tenant| Request::get(url).bearer(&tenant.token));
                if let Some(request) = token {
                    let reply = send(&pipeline, request).await?;
                    expect_closed(&reply, &unknown, "with the token of an ordinary user")?;
                }
            }
        }
    }
    Ok(())
}

/// The response to a path that does not exist.
async fn ask_unknown_path(
    cx: &Context,
    pipeline: &Pipeline,
    prefix: &str,
) -> CheckResult<Response> {
    let name = Uuid::from_bytes(cx.random());
    let url = pipeline.at_path(&format!("{prefix}/{name}"));
    send(pipeline, Request::get(url)).await
}

/// The prefixes of the target's routes, and none.
fn prefixes(cx: &Context) -> BTreeSet<&str> {
    let contract = cx.contract();
    let prefixes = ["", &contract.prefix, &contract.webhook_prefix];
    prefixes.map(|prefix| prefix.trim_end_matches('/')).into()
}

/// The paths of the contract's own routes.
fn paths_of_the_contract(pipeline: &Pipeline) -> BTreeSet<String> {
    let routes = Endpoint::ALL.into_iter();
    let requests = routes.filter_map(|endpoint| pipeline.request(endpoint, Uuid::nil()).ok());
    requests
        .map(|request| request.url().path().to_owned())
        .collect()
}

/// The response is no page: an error, or what every unknown path answers.
fn expect_closed(reply: &Response, unknown: &Response, how: &str) -> CheckResult {
    let text = reply.text();
    let signature = SIGNATURES.iter().find(|part| text.contains(*part));
    let is_like_unknown = reply.status == unknown.status && text.len() == unknown.text().len();
    let is_open = reply.is_success() && !text.is_empty() && !is_like_unknown;
    ensure!(
        !is_open || is_web_page_of_unknown(reply, unknown),
        "{}, {how}, is answered with a page that the contract does not name{}; close it, or allow it in \
         contract.undocumented: {}",
        reply.request,
        signature.map_or_else(String::new, |part| format!(" and that contains '{part}'")),
        reply.summary()
    );
    Ok(())
}

/// Whether unknown paths are answered with a page, too: then only a different kind of content is a finding.
fn is_web_page_of_unknown(reply: &Response, unknown: &Response) -> bool {
    unknown.is_success() && reply.header("content-type") == unknown.header("content-type")
}

/// Versions that an API had before, or will have.
const VERSIONS: &[&str] = &["v0", "v1", "v2", "v3", "beta", "internal", "legacy", "test"];

/// Under the prefix of another version, with another word for it, or without a prefix, no read of the contract is
/// answered without a token.
async fn every_version_of_a_route_needs_a_token(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let unknown = ask_unknown_path(cx, &pipeline, "").await?;
    let own = cx.contract().prefix.trim_end_matches('/').to_owned();
    for prefix in other_prefixes(&own) {
        for endpoint in [Endpoint::Jobs, Endpoint::Document, Endpoint::Search] {
            if !cx.contract().has(endpoint) {
                continue;
            }
            let mut request = pipeline.request(endpoint, Uuid::nil())?;
            if endpoint == Endpoint::Search {
                request = request.json(&cx.contract().requests.search.body("policy", 1));
            }
            let mut url = request.url().clone();
            let Some(path) = url.path().strip_prefix(&own).map(str::to_owned) else {
                continue;
            };
            url.set_path(&format!("{prefix}{path}"));
            let method = request.method().as_str();
            if cx.contract().undocumented.allows(method, url.path()) {
                continue;
            }
            let reply = send(&pipeline, request.to(url)).await?;
            let is_page = reply
                .header("content-type")
                .is_some_and(|kind| kind.contains("html"));
            ensure!(
                !reply.is_success() || is_page || is_web_page_of_unknown(&reply, &unknown),
                "{}, another version of a protected route, answers without a token: {}",
                reply.request,
                reply.summary()
            );
        }
    }
    Ok(())
}

/// The prefixes of other versions.
fn other_prefixes(own: &str) -> BTreeSet<String> {
    let mut prefixes = BTreeSet::from([
        String::new(),
        "/api".to_owned(),
        "/internal".to_owned(),
        "/public".to_owned(),
    ]);
    for version in VERSIONS {
        prefixes.insert(format!("/{version}"));
        prefixes.insert(format!("/api/{version}"));
        if let Some((before, _)) = own.rsplit_once('/') {
            prefixes.insert(format!("{before}/{version}"));
        }
        prefixes.insert(format!("{own}/{version}"));
    }
    prefixes.remove(own);
    prefixes
}
