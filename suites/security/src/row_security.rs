//! Row-level security: what a user's role can read, with nothing but the database to separate users.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Completed, Table};
use cutover_harness::prelude::*;
use cutover_harness::probe::{Database, DatabaseError, Parameter};
use serde::Deserialize;
use serde_json::{Value, json};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(nobody_reads_anothers_rows, READERS)
            .requires([Http, Database])
            .reads(read::NOTHING)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(users_read_their_own_rows)
            .requires([Http, Database])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A role that reads rows of another user.
pub(super) struct RowReader {
    name: &'static str,
    role: &'static str,
}

impl Named for RowReader {
    fn name(&self) -> &'static str {
        self.name
    }
}

const READERS: &[RowReader] = &[
    RowReader {
        name: "as_another_user",
        role: USER,
    },
    RowReader {
        name: "without_logging_in",
        role: "anon",
    },
];

/// The role of a user who is logged in.
const USER: &str = "authenticated";

/// Tables and views of the schema with their readable columns, except vectors.
const READABLE: &str = "SELECT format('{schema}.%I', c.relname) AS relation,
            string_agg(format('r.%I::text', a.attname), ', ') AS columns
     FROM pg_class c
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relkind IN ('r', 'p', 'v', 'm')
     AND format_type(a.atttypid, NULL) NOT IN ('vector', 'real[]')
     AND has_schema_privilege($1::name, c.relnamespace, 'USAGE')
     AND has_column_privilege($1::name, c.oid, a.attnum, 'SELECT')
     GROUP BY c.relname ORDER BY c.relname";

#[derive(Deserialize)]
struct Readable {
    relation: String,
    columns: String,
}

impl Readable {
    /// Up to three rows that the acting role can see and that contain one of these ids.
    async fn rows_with(
        &self,
        database: &Database,
        ids: &[Uuid],
    ) -> Result<Vec<Value>, DatabaseError> {
        let any: Vec<_> = (1..=ids.len())
            .map(|place| format!("strpos(s.text, ${place}::text) > 0"))
            .collect();
        let sql = format!(
            "SELECT left(s.text, 200) AS row FROM (SELECT concat_ws(' ', {}) AS text FROM {} r) s WHERE {} LIMIT 3",
            self.columns,
            self.relation,
            any.join(" OR "),
        );
        let ids: Vec<_> = ids
            .iter()
            .map(|id| id.to_string().as_str().into())
            .collect();
        database.rows(&sql, &ids).await
    }
}

/// The relations that a role can read.
async fn readable(database: &Database, role: &str) -> CheckResult<Vec<Readable>> {
    Ok(database.rows(READABLE, &[Parameter::from(role)]).await?)
}

fn claims(user: Uuid, role: &str) -> Value {
    json!({ "sub": user, "role": role })
}

/// Converts a denied role change into a missing precondition.
fn require_role<T>(outcome: Result<T, DatabaseError>, role: &str) -> CheckResult<T> {
    outcome.map_err(|error| {
        if error.is_denied() {
            return Stop::precondition_missing(format!(
                "the database role of the target may not act as {role}; GRANT {role} TO it"
            ));
        }
        Stop::from(error)
    })
}

/// The ids that identify the rows of a document.
fn ids_of(pipeline: &Pipeline, completed: &Completed) -> Vec<Uuid> {
    let user = pipeline.tenant().map(|tenant| tenant.user_id);
    let ids = [completed.document_id(), completed.accepted.job_id];
    ids.into_iter().chain(user).collect()
}

/// No other role can read the rows of a user's document, job, chunks or events.
async fn nobody_reads_anothers_rows(cx: &Context, case: &RowReader) -> CheckResult {
    let (owner, stranger) = (cx.pipeline()?, cx.pipeline()?);
    let (document, other_document) = (cx.document().build(), cx.document().build());
    // The other user has a document too, because a policy may confuse the two.
    let (completed, _) = futures::try_join!(
        owner.complete(&document),
        stranger.complete(&other_document)
    )?;
    let database = cx.database()?;
    let stranger = stranger
        .tenant()
        .map_or(Uuid::nil(), |tenant| tenant.user_id);
    let acting = database.acting_as(case.role, claims(stranger, case.role));
    let ids = ids_of(&owner, &completed);
    for readable in readable(&database, case.role).await? {
        let seen = require_role(readable.rows_with(&acting, &ids).await, case.role)?;
        if let Some(row) = seen.first() {
            let summary = format!(
                "{} shows rows of a user to the reader '{}'",
                readable.relation, case.name
            );
            let finding = Finding::new(summary).comparing("no row", row.to_string());
            return Err(Stop::violated(finding));
        }
    }
    Ok(())
}

/// A user who may read documents can read their own.
async fn users_read_their_own_rows(cx: &Context) -> CheckResult {
    let owner = cx.pipeline()?;
    let completed = owner.complete(&cx.document().build()).await?;
    let database = cx.database()?;
    let Some(user) = owner.tenant().map(|tenant| tenant.user_id) else {
        return Err(Stop::not_applicable("the document has no owner"));
    };
    let acting = database.acting_as(USER, claims(user, USER));
    let ids = ids_of(&owner, &completed);
    let mut seen = Vec::new();
    for readable in readable(&database, USER).await? {
        let rows = readable.rows_with(&acting, &ids).await;
        if !require_role(rows, USER)?.is_empty() {
            seen.push(readable.relation);
        }
    }
    let documents = cx.contract().database.table(Table::Documents);
    let documents = documents.map(|name| name.rsplit('.').next().unwrap_or(name));
    let is_documents = |relation: &String| {
        let name = relation.rsplit('.').next().unwrap_or(relation);
        Some(name.trim_matches('"')) == documents
    };
    ensure!(
        seen.iter().any(is_documents),
        "a user who may read documents cannot read their own; rows are visible in {seen:?}"
    );
    Ok(())
}
