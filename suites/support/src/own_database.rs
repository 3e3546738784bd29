//! What checks do to the database of their own stack, and for how long.

use std::time::{Duration, Instant};

use cutover_harness::prelude::*;

/// Ends every session of the services.
pub const END_SESSIONS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'";

/// How long PostgreSQL may take to stop.
pub const DATABASE_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Runs statements as the owner of the database. `{role}` is the role of the services.
pub async fn run_as_owner(cx: &Context, statements: &[&str]) -> CheckResult {
    let (database, role) = (cx.own_database()?, cx.processes()?.spec().app_role);
    for statement in statements {
        database.execute(&statement.replace("{role}", role)).await?;
    }
    Ok(())
}

/// Waits this long, because the time itself matters.
pub async fn pass(cx: &Context, what: &str, time: Duration) -> CheckResult {
    let began = Instant::now();
    let passed = async || Ok((began.elapsed() >= time).then_some(()));
    cx.eventually(what, time * 2, passed).await
}
