//! Stops: a write of a chosen document waits inside of the database, so that its process can be ended there.
//!
//! Only for a stack of the check's own: triggers are added to the pipeline's tables, and removed by [`WriteStops::remove`].

use cutover_harness::prelude::*;
use cutover_harness::probe::DatabaseWrites;
use serde_json::Value;

/// Where a write stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteStop {
    /// The table, without its schema.
    pub relation: &'static str,
    /// The word that is written: a status, the code of an event, or the position of a chunk.
    pub word: String,
    /// Whether the transaction stops when it commits, instead of at the write.
    pub at_commit: bool,
}

/// The tables, the column with the word, and the events for which a trigger is added.
const TRIGGERS: &[(&str, &str, &str)] = &[
    (
        "documents",
        "processing_status",
        "INSERT OR UPDATE OF processing_status",
    ),
    ("upload_jobs", "status", "INSERT OR UPDATE OF status"),
    ("events", "code", "INSERT"),
    (
        "document_chunks",
        "chunk_ord",
        "INSERT OR UPDATE OF embedding",
    ),
];

const FUNCTION: &str = "
CREATE SCHEMA IF NOT EXISTS cutover_check;
CREATE TABLE IF NOT EXISTS cutover_check.stops (document_id uuid, relation text, word text, at_commit bool);
CREATE SEQUENCE IF NOT EXISTS cutover_check.released;
SELECT nextval('cutover_check.released');
CREATE OR REPLACE FUNCTION cutover_check.stop() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$
DECLARE written text; released bigint;
BEGIN
    EXECUTE format('SELECT ($1).%I::text', TG_ARGV[0]) INTO written USING NEW;
    IF TG_TABLE_NAME = 'document_chunks' THEN
        written := lower(TG_OP) || ' ' || written;
    END IF;
    IF EXISTS (SELECT FROM cutover_check.stops s
               WHERE s.document_id = NEW.document_id AND s.relation = TG_TABLE_NAME AND s.word = written
               AND s.at_commit = (TG_WHEN = 'AFTER')) THEN
        -- A sequence is read as it is now, at any isolation level.
        SELECT last_value INTO released FROM cutover_check.released;
        WHILE released = (SELECT last_value FROM cutover_check.released) LOOP
            PERFORM pg_sleep(0.2);
        END LOOP;
    END IF;
    RETURN NEW;
END $f$;";

/// The stops of a check.
pub struct WriteStops<'a> {
    cx: &'a Context,
    database: DatabaseWrites,
}

impl<'a> WriteStops<'a> {
    /// Adds the triggers.
    pub async fn add(cx: &'a Context) -> CheckResult<Self> {
        let database = cx.own_database()?;
        let triggers = TRIGGERS.iter().map(|(table, column, events)| {
            format!(
                "CREATE OR REPLACE TRIGGER cutover_stop BEFORE {events} ON {{schema}}.{table}
                 FOR EACH ROW EXECUTE FUNCTION cutover_check.stop('{column}');
                 DROP TRIGGER IF EXISTS cutover_stop_at_commit ON {{schema}}.{table};
                 CREATE CONSTRAINT TRIGGER cutover_stop_at_commit AFTER {events} ON {{schema}}.{table}
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cutover_check.stop('{column}');"
            )
        });
        database.execute(FUNCTION).await?;
        // One transaction for each table: locks of several tables may be those that a running job
        // waits for, in another order.
        for trigger in triggers {
            database.execute(&trigger).await?;
        }
        Ok(Self { cx, database })
    }

    /// Stops the first such write of a document.
    pub async fn stop(&self, document: Uuid, stop: &WriteStop) -> CheckResult {
        let WriteStop {
            relation,
            word,
            at_commit,
        } = stop;
        let sql = format!(
            "INSERT INTO cutover_check.stops VALUES ('{document}', '{relation}', '{word}', {at_commit})"
        );
        Ok(self.database.execute(&sql).await?)
    }

    /// The number of transactions that wait at a stop.
    pub async fn waiting(&self) -> CheckResult<usize> {
        let sql = "SELECT count(*) AS waiting FROM pg_stat_activity
                   WHERE wait_event = 'PgSleep' AND datname = current_database()";
        let rows: Vec<Value> = self.cx.database()?.rows(sql, &[]).await?;
        let waiting = rows.first().and_then(|row| row["waiting"].as_u64());
        Ok(usize::try_from(waiting.unwrap_or_default())?)
    }

    /// Ends the waiting transactions without their writes, and lets later writes pass.
    pub async fn end_transactions(&self) -> CheckResult {
        let sql = "DELETE FROM cutover_check.stops;
                   SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE wait_event = 'PgSleep' AND datname = current_database()";
        Ok(self.database.execute(sql).await?)
    }

    /// Lets the waiting transactions go on, and later writes pass.
    pub async fn release(&self) -> CheckResult {
        let sql = "DELETE FROM cutover_check.stops;
                   SELECT nextval('cutover_check.released')";
        Ok(self.database.execute(sql).await?)
    }

    /// Removes the triggers.
    pub async fn remove(self) -> CheckResult {
        self.end_transactions().await?;
        let drop = "DROP SCHEMA cutover_check CASCADE";
        Ok(self.database.execute(drop).await?)
    }
}
