//! Row history: every version of every row that the pipeline writes, with the moment of the write.
//!
//! Only for a stack of the check's own: triggers are added to the pipeline's tables, and removed by [`RowHistory::remove`].

use cutover_harness::prelude::*;
use cutover_harness::probe::DatabaseWrites;

/// The tables whose versions are kept.
const TABLES: &[&str] = &[
    "documents",
    "upload_jobs",
    "document_chunks",
    "events",
    "webhook_log",
];

const FUNCTION: &str = "
CREATE SCHEMA IF NOT EXISTS cutover_history;
CREATE TABLE IF NOT EXISTS cutover_history.versions (
    n bigint GENERATED ALWAYS AS IDENTITY, relation text, began timestamptz, at timestamptz, op text,
    old jsonb, new jsonb);
CREATE OR REPLACE FUNCTION cutover_history.keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$
BEGIN
    INSERT INTO cutover_history.versions (relation, began, at, op, old, new) VALUES (
        TG_TABLE_NAME, now(), clock_timestamp(), TG_OP,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'embedding' END, to_jsonb(NEW) - 'embedding');
    RETURN NULL;
END $f$;";

/// The history of the rows since it was added.
pub struct RowHistory {
    database: DatabaseWrites,
}

impl RowHistory {
    /// Adds the triggers. The versions are in `cutover_history.versions`.
    pub async fn add(cx: &Context) -> CheckResult<Self> {
        let database = cx.own_database()?;
        database.execute(FUNCTION).await?;
        // One table at a time: locks of several could be in another order than those of the pipeline.
        for table in TABLES {
            let trigger = format!(
                "CREATE OR REPLACE TRIGGER cutover_history AFTER INSERT OR UPDATE ON {{schema}}.{table}
                 FOR EACH ROW EXECUTE FUNCTION cutover_history.keep()"
            );
            database.execute(&trigger).await?;
        }
        Ok(Self { database })
    }

    /// Removes the triggers and the versions.
    pub async fn remove(self) -> CheckResult {
        for table in TABLES {
            let drop = format!("DROP TRIGGER cutover_history ON {{schema}}.{table}");
            self.database.execute(&drop).await?;
        }
        let drop = "DROP SCHEMA cutover_history CASCADE";
        Ok(self.database.execute(drop).await?)
    }
}
