//! The doors of a target: API, identity, tokens, database, objects.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::report::{Report, chain};
use cutover_contract::accounts::TokenClaims;
use cutover_contract::contract::Contract;
use cutover_contract::probe::{Database, Storage};
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_harness::connection::Connection;
use cutover_harness::interlock::verify_class;
use cutover_harness::lane::{SutClients, SutConfig};
use cutover_harness::target_file::Target;

/// How far the clocks may be apart before tokens are in danger.
const CLOCKS_APART_S: i64 = 30;

/// A token that ends sooner may end within a run.
const MINUTES_LEFT: i64 = 10;

/// How long a target may take to answer once its links are open.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// What is examined, and by what.
pub(super) struct House<'a> {
    pub(super) target: &'a Target,
    pub(super) contract: &'a Contract,
    pub(super) links: &'a Arc<Links>,
}

/// Goes from door to door; one to which there is no way is not asked.
pub(super) async fn go_round(
    house: &House<'_>,
    connection: Connection,
    open: &BTreeSet<&'static str>,
    redactor: &Arc<Redactor>,
    report: &mut Report,
) {
    let House {
        target,
        contract,
        links,
    } = *house;
    let opening = SutConfig {
        connection,
        stack: None,
        safeguards: None,
        links: Some(Arc::clone(links)),
        contract: &Arc::new(contract.clone()),
        redactor,
    };
    let lane = match SutClients::open(opening).await {
        Ok(lane) => lane,
        Err(error) => {
            report.note("identity", Err::<&str, _>(format!("{error:#}")));
            return;
        }
    };
    tokens(&lane, report);
    if open.contains("api") {
        if !links.is_empty() {
            let answers = lane.answers(ANSWERS_WITHIN).await;
            report.step("links", answers, |()| {
                "the API answers with its links open".to_owned()
            });
        }
        let version = api(&lane, report).await;
        let proof = verify_class(target, &contract.fields.version, version.as_ref(), None);
        report.note("class", proof.map(|()| target.class));
        let tenants = lane.two_tenants_are_let_in().await;
        report.step("identity", tenants, |()| {
            "two tenants are let in".to_owned()
        });
    }
    database(&lane, contract, report).await;
    if open.contains("storage") {
        storage(&lane, report).await;
    }
    for (name, traffic) in links.traffic() {
        let used =
            (traffic.connections > 0).then(|| format!("{} connections", traffic.connections));
        let used = used.ok_or("nothing passed through it: is the system told its address?");
        report.note(&format!("link {name}"), used);
    }
}

/// What the tokens of the tenants say, and how long they are good for.
fn tokens(lane: &SutClients, report: &mut Report) {
    for (name, said) in lane.accounts().claims() {
        report.note("token", judged(&name, &said));
    }
}

fn judged(name: &str, said: &TokenClaims) -> Result<String, String> {
    let claims: Vec<_> = ["sub", "role", "aud", "iss"]
        .into_iter()
        .filter_map(|claim| Some(format!("{claim} {}", said.claim(claim)?)))
        .collect();
    let says = format!("{name} says {}", claims.join(", "));
    let Some(expires) = said.expires else {
        return Ok(format!("{says}; it never expires"));
    };
    let minutes = (expires - OffsetDateTime::now_utc()).whole_minutes();
    let at = expires.format(&Rfc3339).unwrap_or_default();
    if minutes < 0 {
        return Err(format!("{says}; it has expired at {at}: give a new one"));
    }
    let advice = if minutes < MINUTES_LEFT {
        ": that may be sooner than a run ends"
    } else {
        ""
    };
    Ok(format!(
        "{says}; it expires at {at}, in {minutes} min{advice}"
    ))
}

/// Asks the API how it is and what it is.
async fn api(lane: &SutClients, report: &mut Report) -> Option<Value> {
    let pipeline = lane.nobody();
    let health = match pipeline.health().await {
        Ok(reply) => reply,
        Err(stop) => {
            report.note("api", Err::<&str, _>(stop.summary()));
            return None;
        }
    };
    let answer = format!("{} after {} ms", health.status, health.elapsed.as_millis());
    report.note("api", Ok::<_, &str>(answer));
    let date = health.header("date").unwrap_or_default();
    if let Ok(theirs) = OffsetDateTime::parse(date, &Rfc2822) {
        let apart = (OffsetDateTime::now_utc() - theirs).whole_seconds().abs();
        let said = format!("{apart} s apart");
        let is_near = apart <= CLOCKS_APART_S;
        report.note("clocks", if is_near { Ok(said) } else { Err(said) });
    }
    let version = lane.identity().await;
    let said = version.as_ref().map(ToString::to_string);
    report.note(
        "version",
        said.ok_or("the version route does not answer with JSON"),
    );
    version
}

async fn database(lane: &SutClients, contract: &Contract, report: &mut Report) {
    let Some(pool) = lane.pool() else { return };
    let database = Database::new(pool, &contract.database.schema, Recorder::silent());
    let query = "SELECT current_user::text AS role, \
                 (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser, \
                 to_regclass('{schema}.documents')::text AS documents";
    let rows = database.rows::<Value>(query, &[]).await;
    let found = rows.map_err(chain).and_then(|rows| {
        let row = rows.into_iter().next().unwrap_or_default();
        if row["documents"].is_null() {
            return Err(format!(
                "there is no table 'documents' in schema '{}'; mend [contract.database]",
                contract.database.schema
            ));
        }
        let warning = if row["is_superuser"] == true {
            ", which is a superuser: give us a role that may only read"
        } else {
            ""
        };
        Ok(format!(
            "as {}{warning}",
            row["role"].as_str().unwrap_or("?")
        ))
    });
    report.note("database", found);
}

async fn storage(lane: &SutClients, report: &mut Report) {
    let Some(door) = lane.connection().storage.clone() else {
        return;
    };
    let http = lane.probe("storage", Recorder::silent());
    let storage = Storage::new(http, door.supabase, door.service_key);
    for bucket in lane.contract().buckets() {
        let found = storage.get(&format!("{bucket}/cutover/doctor")).await;
        let found = found.map(|_| "objects can be read");
        report.note("storage", found.map_err(chain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_contract::jwt;
    use cutover_evidence::secret::Secret;
    use serde_json::json;

    /// A token that lives so long, in seconds.
    fn token(life: i64) -> Secret {
        let expires = OffsetDateTime::now_utc().unix_timestamp() + life;
        let claims = json!({"sub": uuid::Uuid::from_u128(7), "exp": expires});
        Secret::new(jwt::sign(&claims, b"a secret of this test").unwrap())
    }

    #[test]
    fn a_token_is_told_by_what_it_says_and_how_long_it_lasts() {
        let judge = |life: i64| judged("token 1", &TokenClaims::decode(&token(life)).unwrap());
        let told = judge(7200).unwrap();
        assert!(told.starts_with("token 1 says sub 00000000"), "{told}");
        assert!(told.contains("in 119 min"), "{told}");
        assert!(judge(90).unwrap().contains("sooner than a run ends"));
        assert!(judge(-90).unwrap_err().contains("has expired at 2"));
    }
}
