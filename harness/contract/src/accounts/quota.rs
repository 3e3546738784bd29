//! The daily upload quota of each account in a pool, as far as this run knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// An account has no uploads left today.
#[derive(Debug, thiserror::Error)]
#[error(
    "account {user_id} has used its quota of {limit} uploads a day: add accounts under [identity], add a secret that \
     signs tokens, or wait until tomorrow"
)]
pub struct QuotaExceeded {
    user_id: Uuid,
    limit: u32,
}

/// The uploads of a pool's accounts in this run.
#[derive(Debug)]
pub struct Quota {
    limit: u32,
    used: Mutex<BTreeMap<Uuid, u32>>,
}

impl Quota {
    /// Accounts without uploads, each with this daily limit.
    pub(super) fn new(limit: u32, accounts: impl IntoIterator<Item = Uuid>) -> Self {
        let used = accounts.into_iter().map(|user_id| (user_id, 0));
        Self {
            limit,
            used: Mutex::new(used.collect()),
        }
    }

    /// Counts an upload before it is registered. A user outside the pool has no limit.
    pub fn begin(&self, user_id: Uuid) -> Result<(), QuotaExceeded> {
        let limit = self.limit;
        self.update(user_id, |used| {
            if *used >= limit {
                return Err(QuotaExceeded { user_id, limit });
            }
            *used += 1;
            Ok(())
        })
        .unwrap_or(Ok(()))
    }

    /// Removes an upload from the count because the target rejected it.
    pub fn refused(&self, user_id: Uuid) {
        self.update(user_id, |used| *used = used.saturating_sub(1));
    }

    /// Marks the account as exhausted for today, because the target says so. Returns the
    /// uploads of this run; `None` for a user outside the pool.
    pub fn exhaust(&self, user_id: Uuid) -> Option<u32> {
        self.update(user_id, |used| std::mem::replace(used, self.limit))
    }

    /// The number of documents that the account has uploaded.
    pub(super) fn used(&self, user_id: Uuid) -> u32 {
        self.update(user_id, |used| *used).unwrap_or_default()
    }

    fn update<T>(&self, user_id: Uuid, change: impl FnOnce(&mut u32) -> T) -> Option<T> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get_mut(&user_id).map(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_of_the_pool_has_a_daily_limit_and_another_user_has_none() {
        let [pooled, other] = [1, 2].map(Uuid::from_u128);
        let quota = Quota::new(2, [pooled]);
        quota.begin(pooled).unwrap();
        quota.begin(pooled).unwrap();
        let exceeded = quota.begin(pooled).unwrap_err().to_string();
        assert!(
            exceeded.contains("add accounts under [identity]"),
            "{exceeded}"
        );
        quota.refused(pooled);
        quota.begin(pooled).unwrap();
        for _ in 0..9 {
            quota.begin(other).unwrap();
        }
        assert_eq!(quota.exhaust(other), None);
    }
}
