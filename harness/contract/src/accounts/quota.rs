//! How many documents each account of a pool may still upload today, as far as this run knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// An account that must not upload any more.
#[derive(Debug, thiserror::Error)]
#[error(
    "account {user_id} may upload {most} documents a day and has done so: give more accounts under [identity], a secret to \
     mint tokens with, or wait until tomorrow"
)]
pub struct Spent {
    user_id: Uuid,
    most: u32,
}

/// What the accounts of a pool have uploaded in this run.
#[derive(Debug)]
pub struct Quota {
    most: u32,
    used: Mutex<BTreeMap<Uuid, u32>>,
}

impl Quota {
    /// Accounts that have uploaded nothing yet, and may upload so many documents a day.
    pub(super) fn new(most: u32, accounts: impl IntoIterator<Item = Uuid>) -> Self {
        let used = accounts.into_iter().map(|user_id| (user_id, 0));
        Self {
            most,
            used: Mutex::new(used.collect()),
        }
    }

    /// Counts an upload that is about to be registered; a user who is not of the pool may do so without end.
    pub fn begin(&self, user_id: Uuid) -> Result<(), Spent> {
        let most = self.most;
        self.of(user_id, |used| {
            if *used >= most {
                return Err(Spent { user_id, most });
            }
            *used += 1;
            Ok(())
        })
        .unwrap_or(Ok(()))
    }

    /// The target refused the upload: it counts for nothing.
    pub fn refused(&self, user_id: Uuid) {
        self.of(user_id, |used| *used = used.saturating_sub(1));
    }

    /// The target takes nothing more today. Says how much this run has used; nothing of a user who is not of the pool.
    pub fn spent(&self, user_id: Uuid) -> Option<u32> {
        self.of(user_id, |used| std::mem::replace(used, self.most))
    }

    /// How many documents the account has uploaded.
    pub(super) fn used(&self, user_id: Uuid) -> u32 {
        self.of(user_id, |used| *used).unwrap_or_default()
    }

    fn of<T>(&self, user_id: Uuid, work: impl FnOnce(&mut u32) -> T) -> Option<T> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get_mut(&user_id).map(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_uploads_as_much_as_a_day_allows_and_a_stranger_without_end() {
        let [ours, stranger] = [1, 2].map(Uuid::from_u128);
        let quota = Quota::new(2, [ours]);
        quota.begin(ours).unwrap();
        quota.begin(ours).unwrap();
        let spent = quota.begin(ours).unwrap_err().to_string();
        assert!(
            spent.contains("give more accounts under [identity]"),
            "{spent}"
        );
        quota.refused(ours);
        quota.begin(ours).unwrap();
        for _ in 0..9 {
            quota.begin(stranger).unwrap();
        }
        assert_eq!(quota.spent(stranger), None);
    }
}
