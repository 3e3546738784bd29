//! Asks the database, read only and briefly, and records every query with its first rows.

use std::panic::AssertUnwindSafe;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use cutover_reports::record::{Evidence, SqlQuery};
use futures::FutureExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use super::body;
use super::deadline::StallAwareDeadline;
use super::parameter::Parameter;
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

/// Opens every query. `SET LOCAL` instead of connection options, because a
/// pooler in transaction mode keeps neither options nor plain `SET`s.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '2s'; \
     SET LOCAL timezone = 'UTC'";

/// Longer than the server's own limit: only a server that does not answer at all reaches it.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// How long a query waits for its connection.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(5);

/// How many rows of a query are kept as evidence.
const ROWS_KEPT: usize = 20;

/// How much of a long text in a row is kept as evidence.
const TEXT_KEPT: usize = 200;

/// Why a query gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is none.
    #[error("read the database address")]
    Address(#[source] sqlx::Error),
    /// The database cannot be reached, or refuses the query.
    #[error("query the database ({sql})")]
    Query {
        /// The statement.
        sql: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The database does not answer.
    #[error(
        "query the database: no answer within {} ({sql})",
        humantime::format_duration(SILENT_AFTER)
    )]
    Silent {
        /// The statement.
        sql: String,
    },
    /// What answers does not speak as databases do.
    #[error("query the database: what answers is none, or broken ({sql})")]
    Garbled {
        /// The statement.
        sql: String,
    },
    /// The rows are not what they should be.
    #[error("read the rows of a query ({sql})")]
    Row {
        /// The statement.
        sql: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl DatabaseError {
    /// Whether the database did not let the connected role do it: SQLSTATE 42501.
    pub fn is_denied(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let refusal = source.as_database_error();
        refusal.is_some_and(|refusal| refusal.code().as_deref() == Some("42501"))
    }
}

/// A few connections to the database, made when they are first needed.
///
/// A refused connection is tried again for a while: a database that restarts is
/// away only briefly.
pub fn pool(url: &Secret) -> Result<PgPool, DatabaseError> {
    pool_waiting(url, ACQUIRE_WITHIN)
}

fn pool_waiting(url: &Secret, within: Duration) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url.expose())
        .map_err(DatabaseError::Address)?
        .application_name("cutover")
        .disable_statement_logging();
    Ok(PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(within)
        .connect_lazy_with(options))
}

/// Asks the database of the pipeline.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    schema: String,
    recorder: Recorder,
    acting: Option<Acting>,
}

/// As whom the database is asked, in the place of the role that connects.
#[derive(Clone, Debug)]
struct Acting {
    role: String,
    claims: Value,
}

impl Database {
    /// Asks through these connections about this schema and records what comes back.
    pub fn new(pool: PgPool, schema: &str, recorder: Recorder) -> Self {
        let schema = format!("\"{}\"", schema.replace('"', "\"\""));
        Self {
            pool,
            schema,
            recorder,
            acting: None,
        }
    }

    /// The same database, as this role with the claims of this token sees it: as Supabase lets
    /// its own API ask. The role that connects must be a member of it.
    #[must_use]
    pub fn acting_as(&self, role: &str, claims: Value) -> Self {
        let role = role.to_owned();
        Self {
            acting: Some(Acting { role, claims }),
            ..self.clone()
        }
    }

    /// The rows of a query, in its order; `{schema}` stands for the pipeline's schema.
    pub async fn rows<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> Result<Vec<T>, DatabaseError> {
        let sql = sql.replace("{schema}", &self.schema);
        let started = Instant::now();
        let deadline = StallAwareDeadline::new(SILENT_AFTER);
        // The driver trusts the lengths that a server announces, and panics where they are impossible.
        let asked = AssertUnwindSafe(self.ask(&sql, parameters)).catch_unwind();
        let rows = match deadline.run(asked).await {
            Some(Ok(rows)) => rows,
            Some(Err(_panic)) => Err(DatabaseError::Garbled { sql: sql.clone() }),
            None => Err(DatabaseError::Silent { sql: sql.clone() }),
        };
        self.record(&sql, parameters, &rows, started.elapsed());
        let read = |row| serde_json::from_value(row);
        rows?
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|source| DatabaseError::Row { sql, source })
    }

    async fn ask(&self, sql: &str, parameters: &[Parameter]) -> Result<Vec<Value>, DatabaseError> {
        let texts = self
            .fetch(sql, parameters)
            .await
            .map_err(|source| DatabaseError::Query {
                sql: sql.to_owned(),
                source,
            })?;
        let read = |text: &String| serde_json::from_str(text);
        texts
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|source| DatabaseError::Row {
                sql: sql.to_owned(),
                source,
            })
    }

    /// Every row as the text of a JSON object: one way to read all tables.
    async fn fetch(&self, sql: &str, parameters: &[Parameter]) -> Result<Vec<String>, sqlx::Error> {
        let wrapped = format!("SELECT row_to_json(r)::text FROM ({sql}) AS r");
        let mut query = sqlx::query_scalar(AssertSqlSafe(wrapped)).persistent(false);
        for parameter in parameters {
            query = match parameter.clone() {
                Parameter::Uuid(id) => query.bind(id),
                Parameter::Uuids(ids) => query.bind(ids),
                Parameter::Text(text) => query.bind(text),
                Parameter::Number(number) => query.bind(number),
                Parameter::Json(value) => query.bind(value),
            };
        }
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        if let Some(acting) = &self.acting {
            let set =
                "SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)";
            let set = sqlx::query(set).persistent(false);
            let set = set.bind(acting.claims.to_string()).bind(&acting.role);
            set.execute(&mut *transaction).await?;
        }
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(rows)
    }

    fn record(
        &self,
        sql: &str,
        parameters: &[Parameter],
        rows: &Result<Vec<Value>, DatabaseError>,
        elapsed: Duration,
    ) {
        let seen = rows.as_deref().unwrap_or_default();
        self.recorder.record(Evidence::Sql(SqlQuery {
            sql: match &self.acting {
                Some(acting) => format!("{sql} -- as {} with {}", acting.role, acting.claims),
                None => sql.to_owned(),
            },
            parameters: parameters.iter().map(Parameter::to_string).collect(),
            row_count: seen.len() as u64,
            rows: seen.iter().take(ROWS_KEPT).map(shortened).collect(),
            error: rows.as_ref().err().map(|error| chain(error)),
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
        }));
    }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// A row with its long texts cut: a vector is no evidence for a reader.
fn shortened(row: &Value) -> Value {
    match row {
        Value::String(text) => Value::String(body::shortened(text, TEXT_KEPT)),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shortened(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => row.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_cut_in_the_evidence() {
        let row = json!({"id": 1, "text": "é".repeat(200), "payload": {"short": "x"}});
        let kept = shortened(&row);
        assert_eq!(kept["text"], format!("{}… (400 bytes)", "é".repeat(100)));
        assert_eq!(kept["payload"]["short"], "x");
    }

    #[tokio::test]
    async fn an_unreachable_database_means_could_not_tell() {
        let url = Secret::new("postgres://nobody@127.0.0.1:1/none");
        let pool = pool_waiting(&url, Duration::from_millis(100)).unwrap();
        let database = Database::new(pool, "s", Recorder::silent());
        let error = database
            .rows::<Value>("SELECT 1 AS one", &[])
            .await
            .unwrap_err();
        assert!(matches!(error, DatabaseError::Query { .. }), "{error}");
    }

    #[test]
    fn a_bad_address_is_an_error_that_does_not_show_it() {
        let error = pool(&Secret::new("postgres://user:hunter2@[")).unwrap_err();
        assert!(!chain(&error).contains("hunter2"), "{}", chain(&error));
    }
}
