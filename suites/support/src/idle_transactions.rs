//! Transactions that are open and in which nothing runs: a service that leaves one open keeps its locks.

use std::collections::BTreeSet;

use cutover_harness::prelude::*;
use serde::Deserialize;

/// A transaction in which nothing runs, and since when. One that has failed has no other time.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdleTransaction {
    pid: i64,
    since: String,
}

/// The transactions in which nothing runs now, without those of cutover.
pub async fn idle_transactions(cx: &Context) -> CheckResult<BTreeSet<IdleTransaction>> {
    let sql = "SELECT pid::bigint AS pid, state_change::text AS since FROM pg_stat_activity
        WHERE datname = current_database() AND application_name <> 'cutover'
          AND state LIKE 'idle in transaction%'";
    let rows: Vec<IdleTransaction> = cx.database()?.rows(sql, &[]).await?;
    Ok(rows.into_iter().collect())
}

/// Every transaction in which nothing runs now ends soon, except for those that are known from before.
pub async fn expect_no_idle_transaction(
    cx: &Context,
    known: &BTreeSet<IdleTransaction>,
) -> CheckResult {
    let found = &idle_transactions(cx).await? - known;
    let within = cx.contract().timing.provider_timeout;
    cx.eventually("no idle transaction stays open", within, async || {
        let now = idle_transactions(cx).await?;
        let open = found.intersection(&now).count();
        Ok(if open == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending(format!(
                "{open} transactions of the services are open and idle"
            ))
        })
    })
    .await
}
