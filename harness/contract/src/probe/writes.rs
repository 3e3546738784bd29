//! Writes to the database of a stack of our own: statements that stay, and attempts that are rolled back.

use std::time::Instant;

use cutover_evidence::journal::Recorder;
use cutover_reports::record::{Evidence, SqlQuery};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

use super::deadline::StallAwareDeadline;
use super::sql::{DatabaseError, QUERY_TIMEOUT, quoted};

/// Starts every attempt. A lock that another session holds must not block the check.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '5s'";

/// The database of a stack of our own. `{schema}` in a statement is the pipeline's schema.
#[derive(Clone, Debug)]
pub struct DatabaseWrites {
    pool: PgPool,
    schema: String,
    recorder: Recorder,
}

/// The database's answer to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The write was accepted, and rolled back.
    Accepted,
    /// The write was refused.
    Refused {
        /// The SQLSTATE, such as `23502`.
        code: String,
        /// The message.
        message: String,
    },
}

/// An open transaction: its locks and its snapshot last until it ends.
#[derive(Debug)]
#[must_use = "dropping it ends the transaction at once"]
pub struct HeldTransaction {
    transaction: Transaction<'static, Postgres>,
    sql: String,
}

impl HeldTransaction {
    /// Ends the transaction without any change.
    pub async fn end(self) -> Result<(), DatabaseError> {
        let ended = self.transaction.rollback().await;
        ended.map_err(|source| failed(&self.sql, source))
    }
}

impl DatabaseWrites {
    /// Writes through these connections, and records every statement.
    pub fn new(pool: PgPool, schema: &str, recorder: Recorder) -> Self {
        Self {
            pool,
            schema: quoted(schema),
            recorder,
        }
    }

    /// Runs statements as the owner of the stack's database. Their effect stays.
    pub async fn execute(&self, statements: &str) -> Result<(), DatabaseError> {
        let sql = statements.replace("{schema}", &self.schema);
        let started = Instant::now();
        let running = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&self.pool);
        let done = self.in_time(&sql, running).await?;
        self.record(&sql, done.as_ref().err(), started);
        done.map(drop).map_err(|source| failed(&sql, source))
    }

    /// Runs statements as the owner in a transaction that stays open, such as `LOCK TABLE`.
    pub async fn hold(&self, statements: &str) -> Result<HeldTransaction, DatabaseError> {
        let sql = statements.replace("{schema}", &self.schema);
        let started = Instant::now();
        let held = self.in_time(&sql, self.begin_with(&sql)).await?;
        let shown = format!("{sql} -- in a transaction that stays open");
        self.record(&shown, held.as_ref().err(), started);
        match held {
            Ok(transaction) => Ok(HeldTransaction { transaction, sql }),
            Err(source) => Err(failed(&sql, source)),
        }
    }

    async fn begin_with(&self, sql: &str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }

    /// Tries statements with the rights of a role, in a transaction that is always rolled back.
    pub async fn attempt(&self, role: &str, statements: &str) -> Result<Attempt, DatabaseError> {
        let sql = statements.replace("{schema}", &self.schema);
        let started = Instant::now();
        let outcome = self.in_time(&sql, self.roll_back(role, &sql)).await?;
        let shown = format!("{sql} -- as {role}, rolled back");
        self.record(&shown, outcome.as_ref().err(), started);
        match outcome {
            Ok(()) => Ok(Attempt::Accepted),
            Err(source) => match source.as_database_error() {
                Some(refusal) => Ok(Attempt::Refused {
                    code: refusal.code().unwrap_or_default().into_owned(),
                    message: refusal.message().to_owned(),
                }),
                None => Err(failed(&sql, source)),
            },
        }
    }

    async fn roll_back(&self, role: &str, sql: &str) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        let set_role = sqlx::query("SELECT set_config('role', $1, true)").persistent(false);
        set_role.bind(role).execute(&mut *transaction).await?;
        // Deferred constraints are part of the refusal.
        let all = format!("{sql}; SET CONSTRAINTS ALL IMMEDIATE");
        let tried = sqlx::raw_sql(AssertSqlSafe(all))
            .execute(&mut *transaction)
            .await;
        transaction.rollback().await?;
        tried.map(drop)
    }

    async fn in_time<T>(
        &self,
        sql: &str,
        running: impl Future<Output = T>,
    ) -> Result<T, DatabaseError> {
        let deadline = StallAwareDeadline::new(QUERY_TIMEOUT);
        let done = deadline.run(running).await;
        done.ok_or_else(|| DatabaseError::TimedOut {
            sql: sql.to_owned(),
        })
    }

    fn record(&self, sql: &str, error: Option<&sqlx::Error>, started: Instant) {
        self.recorder.record(Evidence::Sql(SqlQuery {
            sql: sql.to_owned(),
            parameters: Vec::new(),
            row_count: 0,
            rows: Vec::new(),
            error: error.map(ToString::to_string),
            elapsed_ms: started.elapsed().as_secs_f64() * 1e3,
        }));
    }
}

fn failed(sql: &str, source: sqlx::Error) -> DatabaseError {
    DatabaseError::Query {
        sql: sql.to_owned(),
        source,
    }
}
