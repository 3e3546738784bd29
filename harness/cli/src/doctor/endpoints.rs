//! The endpoints of a target: API, identity, database, storage and links.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::report::{Report, chain};
use super::tables::check_tables;
use super::tokens::check_tokens;
use super::user_roles::check_user_roles;
use cutover_contract::contract::{Contract, Endpoint};
use cutover_contract::probe::{Database, Storage};
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::connection::Connection;
use cutover_harness::identification::Reported;
use cutover_harness::interlock::verify_class;
use cutover_harness::sut_clients::{SutClients, SutConfig};
use cutover_harness::target_file::Target;

/// The difference of the clocks above which tokens may be rejected.
const MAX_CLOCK_SKEW_S: i64 = 30;

/// How long a target may take to answer after its links are opened.
const LINKS_TIMEOUT: Duration = Duration::from_secs(30);

/// The target with its contract and its open links.
pub(super) struct DoctorContext<'a> {
    pub(super) target: &'a Target,
    pub(super) contract: &'a Contract,
    pub(super) links: &'a Arc<Links>,
}

/// Checks every endpoint that can be reached.
pub(super) async fn check_endpoints(
    context: &DoctorContext<'_>,
    connection: Connection,
    reachable: &BTreeSet<&'static str>,
    redactor: &Arc<Redactor>,
    report: &mut Report,
) {
    let DoctorContext {
        target,
        contract,
        links,
    } = *context;
    let config = SutConfig {
        connection,
        stack: None,
        safeguards: None,
        links: Some(Arc::clone(links)),
        contract: &Arc::new(contract.clone()),
        redactor,
    };
    let clients = match SutClients::open(config).await {
        Ok(clients) => clients,
        Err(error) => {
            report.add("identity", Err::<&str, _>(chain(error)));
            return;
        }
    };
    check_tokens(&clients, report);
    if reachable.contains("api") {
        if !links.is_empty() {
            let answers = clients.wait_until_healthy(LINKS_TIMEOUT).await;
            report.add_step("links", answers, |()| {
                "the API answers through its links".to_owned()
            });
        }
        let version = check_api(&clients, report).await;
        let verified = verify_class(target, version.as_ref(), None);
        report.add("class", verified.map(|()| target.class));
        let tenants = clients.verify_tenants().await;
        report.add_step("identity", tenants, |()| {
            "two tenants can authenticate".to_owned()
        });
    }
    check_database(&clients, contract, report).await;
    if reachable.contains("storage") {
        check_storage(&clients, report).await;
    }
    check_links(links, report);
}

fn check_links(links: &Links, report: &mut Report) {
    for (name, traffic) in links.traffic() {
        let used =
            (traffic.connections > 0).then(|| format!("{} connections", traffic.connections));
        let used = used.ok_or(
            "no connection passed through it; configure the system with the address of the link",
        );
        report.add(&format!("link {name}"), used);
    }
}

/// Checks health, clock and version of the API; returns the version.
async fn check_api(clients: &SutClients, report: &mut Report) -> Option<Reported> {
    let pipeline = clients.anonymous_pipeline();
    let probes = [Endpoint::Health, Endpoint::Ready, Endpoint::Version];
    let mut present = probes
        .into_iter()
        .filter(|endpoint| clients.contract().has(*endpoint));
    let probe = present.next().unwrap_or(Endpoint::Health);
    let asked = async { pipeline.ask(probe, pipeline.request(probe, "")?).await };
    let health = match asked.await {
        Ok(reply) => reply,
        Err(stop) => {
            report.add("api", Err::<&str, _>(stop.summary()));
            return None;
        }
    };
    let answer = format!("{} after {} ms", health.status, health.elapsed.as_millis());
    report.add("api", Ok::<_, &str>(answer));
    let date = health.header("date").unwrap_or_default();
    if let Ok(date) = OffsetDateTime::parse(date, &Rfc2822) {
        let skew = (OffsetDateTime::now_utc() - date).whole_seconds().abs();
        let result = if skew <= MAX_CLOCK_SKEW_S {
            Ok(format!("{skew} s apart"))
        } else {
            Err(format!(
                "{skew} s apart; synchronise them, or tokens may be rejected"
            ))
        };
        report.add("clocks", result);
    }
    let reported = clients.reported().await;
    let text = reported
        .as_ref()
        .map(|reported| format!("{}, by {}", reported.identity, reported.source));
    report.add("version", text);
    reported.ok()
}

async fn check_database(clients: &SutClients, contract: &Contract, report: &mut Report) {
    let Some(pool) = clients.pool() else { return };
    let database = Database::new(pool, &contract.database, Recorder::silent());
    let query = "SELECT current_user::text AS role, \
                 (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser";
    let rows = database.rows::<Value>(query, &[]).await;
    let result = rows.map_err(chain).map(|rows| {
        let row = rows.into_iter().next().unwrap_or_default();
        let advice = if row["is_superuser"] == true {
            ", a superuser; use a read-only role"
        } else {
            ""
        };
        let role = row["role"].as_str().unwrap_or("?");
        format!("readable as role {role}{advice}")
    });
    let is_readable = result.is_ok();
    report.add("database", result);
    if is_readable {
        check_tables(&database, contract, report).await;
        check_user_roles(&database, report).await;
    }
}

async fn check_storage(clients: &SutClients, report: &mut Report) {
    let Some(access) = clients.connection().storage.clone() else {
        return;
    };
    let http = clients.probe("storage", Recorder::silent());
    let storage = Storage::new(http, access.supabase, access.service_key);
    for bucket in clients.contract().buckets() {
        let result = storage.get(&format!("{bucket}/cutover/doctor")).await;
        let result = result.map(|_| format!("bucket {bucket} is readable"));
        report.add("storage", result.map_err(chain));
    }
}
