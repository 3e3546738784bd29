//! `cutover doctor`: looks whether a target can be reached, step by step, and what could be checked there.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, Profile, Selection};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Trouble;
use super::common_options::{PolicyOption, PrintOptions};
use crate::catalog::Catalog;
use crate::contract::Contract;
use crate::journal::Recorder;
use crate::lane::{Lane, Opening};
use crate::plan::{Order, plan};
use crate::probe::{Database, Storage};
use crate::redact::Redactor;
use crate::safety::proven;
use crate::target::Target;

/// How far the clocks may be apart before tokens are in danger.
const CLOCKS_APART_S: i64 = 30;

/// Look whether a target can be reached, and what could be checked there
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// The target file
    #[arg(long, value_name = "FILE")]
    target: PathBuf,
    #[command(flatten)]
    policy: PolicyOption,
    #[command(flatten)]
    print: PrintOptions,
}

/// What was found, as a list that a person reads.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    troubles: usize,
}

impl Report {
    fn note<E: Display>(&mut self, what: &str, found: Result<impl Display, E>) {
        match found {
            Ok(found) => self.lines.push(format!("  ok       {what}: {found}")),
            Err(trouble) => {
                self.troubles += 1;
                self.lines.push(format!("  TROUBLE  {what}: {trouble}"));
            }
        }
    }
}

impl Doctor {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, Trouble> {
        self.print.apply();
        let target = Target::read(&self.target)?;
        let contract = target.contract(catalog.contract.text)?;
        let policy = self.policy.read()?;
        let mut report = Report::default();
        if target.attachment().is_some() {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(examine(&target, &contract, &mut report))?;
        }
        let mut lines = vec![format!("target {} ({})", target.name, target.class)];
        lines.append(&mut report.lines);
        lines.extend(prospects(catalog, &target, &policy)?);
        writeln!(anstream::stdout(), "{}", lines.join("\n"))?;
        Ok(if report.troubles == 0 {
            exit::GO
        } else {
            exit::USAGE
        })
    }
}

/// Goes from door to door; what one needs of another is not asked twice.
async fn examine(target: &Target, contract: &Contract, report: &mut Report) -> anyhow::Result<()> {
    let Some(attachment) = target.attachment() else {
        return Ok(());
    };
    let doors = match attachment.doors() {
        Ok(doors) => doors,
        Err(error) => {
            report.note("secrets", Err::<&str, _>(error));
            return Ok(());
        }
    };
    report.note("secrets", Ok::<_, &str>("all of them can be had"));
    let opening = Opening {
        doors,
        stack: None,
        cleanup: None,
        brake: None,
        contract: &Arc::new(contract.clone()),
        redactor: &Arc::new(Redactor::default()),
    };
    let lane = match Lane::open(opening).await {
        Ok(lane) => lane,
        Err(error) => {
            report.note("identity", Err::<&str, _>(format!("{error:#}")));
            return Ok(());
        }
    };
    let version = api(&lane, report).await;
    let proof = proven(target, &contract.fields.version, version.as_ref(), None);
    report.note("class", proof.map(|()| target.class));
    let tenants = lane.two_tenants_are_let_in().await;
    let tenants = tenants.map(|()| "two tenants are let in");
    report.note("identity", tenants.map_err(|error| format!("{error:#}")));
    database(&lane, contract, report).await;
    storage(&lane, report).await;
    if let Some(standins) = lane.standins() {
        let seen = standins.parser_calls("cutover-doctor").await;
        let seen = seen.map(|_| "they answer");
        report.note("stand-ins", seen.map_err(chain));
    }
    Ok(())
}

/// Asks the API; name resolution, connection and TLS show in what its error says.
async fn api(lane: &Lane, report: &mut Report) -> Option<Value> {
    let pipeline = lane.nobody();
    let health = match pipeline.health().await {
        Ok(reply) => reply,
        Err(stop) => {
            report.note("api", Err::<&str, _>(stop.told()));
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

async fn database(lane: &Lane, contract: &Contract, report: &mut Report) {
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

async fn storage(lane: &Lane, report: &mut Report) {
    let Some(door) = lane.doors().storage.clone() else {
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

fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// For every suite how many checks could run, and what the others lack.
fn prospects(catalog: &Catalog, target: &Target, policy: &Policy) -> Result<Vec<String>, Trouble> {
    let mut lines = Vec::new();
    for profile in [Profile::Smoke, Profile::Gate] {
        let order = Order {
            run: "not-run".to_owned(),
            profile,
            seed: 0,
            selection: Selection::default(),
            defect: None,
        };
        let plan = plan(catalog, target, policy, &order)?;
        lines.push(format!("profile {profile}"));
        for suite in &catalog.suites {
            let checks = plan.checks.iter();
            let checks: Vec<_> = checks
                .filter(|check| check.id.suite() == suite.name())
                .filter(|check| policy.asks_for(profile, check))
                .collect();
            if checks.is_empty() {
                continue;
            }
            let can = checks.iter().filter(|check| check.is_admitted()).count();
            lines.push(format!(
                "  {}: {can} of {} checks can run",
                suite.name(),
                checks.len()
            ));
            let mut lacks: BTreeMap<&str, usize> = BTreeMap::new();
            for check in checks {
                if let Admission::Refused { reason, .. } = &check.admission {
                    *lacks.entry(reason).or_default() += 1;
                }
            }
            let lacks = lacks.into_iter();
            lines.extend(lacks.map(|(reason, count)| format!("    {count}: {reason}")));
        }
    }
    Ok(lines)
}
