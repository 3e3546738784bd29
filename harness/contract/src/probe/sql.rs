//! Runs short read-only queries, and records every query with its first rows.

use std::panic::AssertUnwindSafe;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_reports::record::{Evidence, SqlQuery};
use futures::FutureExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use super::deadline::StallAwareDeadline;
use super::parameter::{Parameter, with_literal_ids};
use super::shorten;
use super::table_names::{Declared, Missing, ReadError, with_names};
use crate::layout::{DatabaseLayout, Read};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

/// Starts every query. It uses `SET LOCAL` because a pooler in transaction mode keeps
/// neither connection options nor plain `SET`s.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '2s'; \
     SET LOCAL timezone = 'UTC'";

/// The query timeout of the client. It is longer than the server's timeout, so that only a server
/// that does not respond reaches it.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(15);

/// The timeout for a connection from the pool. A busy machine needs seconds to fork and authenticate one.
const ACQUIRE_TIMEOUT: Duration = QUERY_TIMEOUT;

/// The number of rows of a query that are kept as evidence.
const ROWS_KEPT: usize = 20;

/// The number of bytes of a text in a row that are kept as evidence.
const TEXT_KEPT: usize = 200;

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database URL is invalid.
    #[error("parse the database URL")]
    Address(#[source] sqlx::Error),
    /// The connection failed, or the database rejected the query.
    #[error("query the database ({sql})")]
    Query {
        /// The query.
        sql: String,
        /// The cause.
        source: sqlx::Error,
    },
    /// The database does not respond.
    #[error(
        "query the database: no response within {} ({sql})",
        humantime::format_duration(QUERY_TIMEOUT)
    )]
    TimedOut {
        /// The query.
        sql: String,
    },
    /// The response violates the PostgreSQL protocol.
    #[error("query the database: the response is not valid PostgreSQL protocol ({sql})")]
    Protocol {
        /// The query.
        sql: String,
    },
    /// The query reads what the target does not have, or what the check does not declare.
    #[error(transparent)]
    Reads(#[from] ReadError),
    /// The rows have an unexpected type.
    #[error("read the rows of a query ({sql})")]
    Row {
        /// The query.
        sql: String,
        /// The cause.
        source: serde_json::Error,
    },
}

impl DatabaseError {
    /// Whether the role lacks the privilege: SQLSTATE 42501.
    pub fn is_denied(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let refusal = source.as_database_error();
        refusal.is_some_and(|refusal| refusal.code().as_deref() == Some("42501"))
    }
}

/// A pool of a few lazy connections to the database.
///
/// A refused connection is retried for a while, so that a restart of the database
/// does not matter.
pub fn pool(url: &Secret) -> Result<PgPool, DatabaseError> {
    pool_with_timeout(url, ACQUIRE_TIMEOUT)
}

fn pool_with_timeout(url: &Secret, timeout: Duration) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url.expose())
        .map_err(DatabaseError::Address)?
        .application_name("cutover")
        .disable_statement_logging();
    Ok(PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(timeout)
        .connect_lazy_with(options))
}

/// A probe of the pipeline's database.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    layout: Arc<DatabaseLayout>,
    declared: Option<Arc<Declared>>,
    recorder: Recorder,
    acting: Option<Acting>,
}

/// The role and claims of a query, instead of those of the connection.
#[derive(Clone, Debug)]
struct Acting {
    role: String,
    claims: Value,
}

impl Database {
    /// A probe that queries a database of this layout through these connections and records the results.
    pub fn new(pool: PgPool, layout: &DatabaseLayout, recorder: Recorder) -> Self {
        Self {
            pool,
            layout: Arc::new(layout.clone()),
            declared: None,
            recorder,
            acting: None,
        }
    }

    /// The same database for a check that declared what it reads. Any other read is an error.
    #[must_use]
    pub fn declaring(self, check: &str, reads: &[Read]) -> Self {
        let declared = Declared {
            check: check.to_owned(),
            reads: reads.to_vec(),
        };
        Self {
            declared: Some(Arc::new(declared)),
            ..self
        }
    }

    /// The same database with the privileges of another role and the claims of a token, as the
    /// Supabase API queries it. The connected role must be a member of that role.
    #[must_use]
    pub fn acting_as(&self, role: &str, claims: Value) -> Self {
        let role = role.to_owned();
        Self {
            acting: Some(Acting { role, claims }),
            ..self.clone()
        }
    }

    /// The rows of a query over the tables and columns of the default contract, such as
    /// `SELECT status FROM {schema}.upload_jobs`; the target may have other names.
    ///
    /// # Errors
    /// Also where the target lacks a table or column, or the check does not declare it.
    pub async fn rows<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> Result<Vec<T>, DatabaseError> {
        let declared = self.declared.as_deref();
        let sql = with_names(sql, &self.layout, declared, Missing::Refused)?;
        self.rows_of(sql, parameters).await
    }

    /// The rows of a query; missing and undeclared columns are null.
    pub(super) async fn rows_with_nulls<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> Result<Vec<T>, DatabaseError> {
        let declared = self.declared.as_deref();
        let sql = with_names(sql, &self.layout, declared, Missing::Null)?;
        self.rows_of(sql, parameters).await
    }

    /// The rows of a query of an invariant, which declares itself what it reads; missing columns are
    /// null, and missing tables are empty.
    pub(crate) async fn rows_of_invariant<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> Result<Vec<T>, DatabaseError> {
        let sql = with_names(sql, &self.layout, None, Missing::Empty)?;
        self.rows_of(sql, parameters).await
    }

    /// The rows of a query with the target's names.
    async fn rows_of<T: DeserializeOwned>(
        &self,
        sql: String,
        parameters: &[Parameter],
    ) -> Result<Vec<T>, DatabaseError> {
        let started = Instant::now();
        let deadline = StallAwareDeadline::new(QUERY_TIMEOUT);
        // The driver trusts the lengths in the server's messages, and panics if they are impossible.
        let query = AssertUnwindSafe(Box::pin(self.run(&sql, parameters))).catch_unwind();
        let rows = match deadline.run(query).await {
            Some(Ok(rows)) => rows,
            Some(Err(_panic)) => Err(DatabaseError::Protocol { sql: sql.clone() }),
            None => Err(DatabaseError::TimedOut { sql: sql.clone() }),
        };
        self.record(&sql, parameters, &rows, started.elapsed());
        let read = |row| serde_json::from_value(row);
        rows?
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|source| DatabaseError::Row { sql, source })
    }

    async fn run(&self, sql: &str, parameters: &[Parameter]) -> Result<Vec<Value>, DatabaseError> {
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

    /// Fetches every row as the text of a JSON object, so that all tables are read the same way.
    async fn fetch(&self, sql: &str, parameters: &[Parameter]) -> Result<Vec<String>, sqlx::Error> {
        let (sql, parameters) = with_literal_ids(sql, parameters);
        let wrapped = format!("SELECT row_to_json(r)::text FROM ({sql}) AS r");
        let mut query = sqlx::query_scalar(AssertSqlSafe(wrapped)).persistent(false);
        for parameter in parameters {
            query = match parameter.clone() {
                Parameter::Uuid(_) | Parameter::Uuids(_) => query,
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
        let rows_seen = rows.as_deref().unwrap_or_default();
        self.recorder.record(Evidence::Sql(SqlQuery {
            sql: match &self.acting {
                Some(acting) => format!("{sql} -- as {} with {}", acting.role, acting.claims),
                None => sql.to_owned(),
            },
            parameters: parameters.iter().map(Parameter::to_string).collect(),
            row_count: rows_seen.len() as u64,
            rows: rows_seen.iter().take(ROWS_KEPT).map(shortened).collect(),
            error: rows.as_ref().err().map(|error| chain(error)),
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
        }));
    }
}

/// A name as a quoted identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// A row with shortened texts, such as vectors.
fn shortened(row: &Value) -> Value {
    match row {
        Value::String(text) => Value::String(shorten::shortened(text, TEXT_KEPT)),
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
    fn long_texts_are_shortened_in_the_evidence() {
        let row = json!({"id": 1, "text": "é".repeat(200), "payload": {"short": "x"}});
        let kept = shortened(&row);
        assert_eq!(kept["text"], format!("{}… (400 bytes)", "é".repeat(100)));
        assert_eq!(kept["payload"]["short"], "x");
    }

    #[tokio::test]
    async fn an_unreachable_database_means_could_not_tell() {
        let url = Secret::new("postgres://nobody@127.0.0.1:1/none");
        let pool = pool_with_timeout(&url, Duration::from_millis(100)).unwrap();
        let database = Database::new(pool, &DatabaseLayout::in_schema("s"), Recorder::silent());
        let error = database
            .rows::<Value>("SELECT 1 AS one", &[])
            .await
            .unwrap_err();
        assert!(matches!(error, DatabaseError::Query { .. }), "{error}");
    }

    #[test]
    fn the_error_for_an_invalid_url_does_not_contain_the_url() {
        let error = pool(&Secret::new("postgres://user:hunter2@[")).unwrap_err();
        assert!(!chain(&error).contains("hunter2"), "{}", chain(&error));
    }
}
