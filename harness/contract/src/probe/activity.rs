//! The activity of a PostgreSQL database while a load runs: sessions, waits, locks and unfinished jobs.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::str::FromStr as _;
use std::time::Duration;

use cutover_evidence::secret::Secret;
use futures::FutureExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use super::sql::DatabaseError;
use super::table_names::{Missing, with_names};
use crate::layout::DatabaseLayout;

/// Starts every query. What takes longer than this says little about the moment, and must not add to the load.
const BEGIN: &str =
    "BEGIN READ ONLY; SET LOCAL statement_timeout = '250ms'; SET LOCAL lock_timeout = '100ms'";

/// The timeout of the client: only a server that does not respond reaches it.
const TIMEOUT: Duration = Duration::from_millis(400);

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The sessions of the database without those of cutover. A session of another role has no state for a role
/// without `pg_read_all_stats`. Only an active session waits: an idle one always waits for its client.
const ACTIVITY: &str = "\
WITH seen AS MATERIALIZED (
    SELECT pid, state, wait_event_type, wait_event, query = '<insufficient privilege>' AS hidden
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'cutover'
    AND COALESCE(backend_type, 'client backend') = 'client backend'
)
SELECT json_build_object(
    'hidden', (SELECT count(*) FROM seen WHERE hidden),
    'sessions', (SELECT COALESCE(json_object_agg(state, n), '{}') FROM (
        SELECT state, count(*) AS n FROM seen WHERE state IS NOT NULL GROUP BY state) AS states),
    'waits', (SELECT COALESCE(json_agg(waits), '[]') FROM (
        SELECT wait_event_type AS kind, wait_event AS event, count(*) AS sessions FROM seen
        WHERE state = 'active' AND wait_event_type IS NOT NULL GROUP BY 1, 2) AS waits),
    'locks_not_granted', (SELECT count(*) FROM pg_locks JOIN seen USING (pid) WHERE NOT granted)
)::text";

/// What the sessions of a database do at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Activity {
    /// The sessions whose state the role may not read.
    pub hidden: u64,
    /// The number of sessions by state, such as `idle in transaction`.
    pub sessions: BTreeMap<String, u64>,
    /// What active sessions wait for.
    pub waits: Vec<Wait>,
    /// The locks that sessions wait for.
    pub locks_not_granted: u64,
}

/// What active sessions wait for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Wait {
    /// The `wait_event_type`, such as `Lock`.
    pub kind: String,
    /// The `wait_event`, such as `transactionid`.
    pub event: String,
    /// The number of sessions.
    pub sessions: u64,
}

/// Reads the activity of a database through one connection of its own. Nothing is recorded as evidence.
#[derive(Debug)]
pub struct ActivityProbe {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    jobs: Option<String>,
}

impl ActivityProbe {
    /// A probe of a database of this layout, with a query for its unfinished jobs, if it has jobs. It connects when it
    /// is first used.
    ///
    /// # Errors
    /// If the URL is invalid, or the database lacks what the query reads.
    pub fn new(
        url: &Secret,
        layout: &DatabaseLayout,
        jobs: Option<&str>,
    ) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url.expose()).map_err(DatabaseError::Address)?;
        Ok(Self {
            options: options
                .application_name("cutover")
                .disable_statement_logging(),
            connection: None,
            jobs: jobs
                .map(|sql| with_names(sql, layout, None, Missing::Refused))
                .transpose()?,
        })
    }

    /// Whether the contract says which jobs are unfinished.
    pub fn knows_jobs(&self) -> bool {
        self.jobs.is_some()
    }

    /// What the sessions do now; nothing if the database does not say so in time.
    pub async fn activity(&mut self) -> Option<Activity> {
        self.read(ACTIVITY).await
    }

    /// The number of unfinished jobs by status; nothing if the database does not say so in time.
    pub async fn unfinished_jobs(&mut self) -> Option<BTreeMap<String, u64>> {
        let sql = self.jobs.clone()?;
        self.read(&sql).await
    }

    /// The value of a query that selects one JSON text.
    async fn read<T: DeserializeOwned>(&mut self, sql: &str) -> Option<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => timeout(CONNECT_TIMEOUT, self.options.connect())
                .await
                .ok()?
                .ok()?,
        };
        // One message: a transaction costs one round trip. A pooler keeps no settings beyond it.
        let statements = AssertSqlSafe(format!("{BEGIN}; {sql}; COMMIT"));
        let query = sqlx::raw_sql(statements).fetch_all(&mut connection);
        // The driver trusts the lengths in the server's messages, and panics if they are impossible.
        let query = AssertUnwindSafe(query).catch_unwind();
        // A connection with an answer outstanding is not used again.
        let rows = timeout(TIMEOUT, query).await.ok()?.ok()?;
        match rows {
            Ok(rows) => {
                self.connection = Some(connection);
                let text: String = rows.first()?.try_get(0).ok()?;
                serde_json::from_str(&text).ok()
            }
            Err(sqlx::Error::Database(_)) => {
                let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut connection);
                if let Ok(Ok(_)) = timeout(TIMEOUT, rollback).await {
                    self.connection = Some(connection);
                }
                None
            }
            Err(_) => None,
        }
    }

    /// Closes the connection.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            // A server that does not say goodbye is left.
            let _ = timeout(TIMEOUT, connection.close()).await;
        }
    }
}
