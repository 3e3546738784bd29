//! The test tenants of a target: signed on demand, or taken from a fixed pool of accounts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::account::{PooledAccount, from_tokens, log_in_all};
use super::error::AccountError;
use super::login::Login;
use super::quota::Quota;
use super::token::TokenClaims;
use super::token_source::TokenSource;
use crate::identity::{Minter, Tenant};
use cutover_evidence::redact::Redactor;

/// The test tenants of a target.
#[derive(Debug)]
pub enum Accounts {
    /// Any number of tenants, with tokens that are signed here.
    Minted(Minter),
    /// A fixed number of accounts that trials acquire and release.
    Pool(AccountPool),
}

/// A fixed number of accounts.
#[derive(Debug)]
pub struct AccountPool {
    accounts: Mutex<Vec<PooledAccount>>,
    quota: Arc<Quota>,
    /// The source of new tokens; its credentials are in the order of the accounts.
    login: Option<Login>,
    redactor: Arc<Redactor>,
}

impl Accounts {
    /// Prepares the accounts of a target; logs in if the source is a password login.
    /// Each account may upload `daily` documents a day.
    pub async fn open(
        source: &TokenSource,
        http: &reqwest::Client,
        redactor: &Arc<Redactor>,
        daily: u32,
    ) -> Result<Self, AccountError> {
        let (accounts, login) = match source {
            TokenSource::Mint {
                secret,
                issuer,
                audience,
            } => {
                let minter = Minter::new(secret.clone(), issuer, audience, Arc::clone(redactor));
                return Ok(Self::Minted(minter));
            }
            TokenSource::Static(tokens) => (from_tokens(tokens)?, None),
            TokenSource::PasswordLogin {
                supabase,
                anon_key,
                accounts,
            } => {
                let login = Login {
                    http: http.clone(),
                    supabase: supabase.clone(),
                    anon_key: anon_key.clone(),
                    credentials: accounts.clone(),
                };
                (log_in_all(&login).await?, Some(login))
            }
        };
        Ok(Self::Pool(AccountPool::new(
            accounts, login, redactor, daily,
        )?))
    }

    /// A tenant that no other trial uses: a new one if tokens can be signed, otherwise the
    /// account with the fewest uploads in this run.
    pub fn acquire(&self, user_id: Uuid) -> Result<Tenant, AccountError> {
        match self {
            Self::Minted(minter) => Ok(minter.tenant(user_id)?),
            Self::Pool(pool) => pool.acquire(),
        }
    }

    /// Returns tenants to the pool.
    pub fn release(&self, tenants: impl IntoIterator<Item = Tenant>) {
        if let Self::Pool(pool) = self {
            let mut accounts = pool.lock();
            for tenant in tenants {
                let mut accounts = accounts.iter_mut();
                let is_same =
                    |account: &&mut PooledAccount| account.tenant.user_id == tenant.user_id;
                if let Some(account) = accounts.find(is_same) {
                    account.in_use = false;
                }
            }
        }
    }

    /// The tenant with this id, if it is one of these accounts, even while a trial uses it.
    pub fn tenant(&self, user_id: Uuid) -> Option<Tenant> {
        match self {
            Self::Minted(minter) => minter.tenant(user_id).ok(),
            Self::Pool(pool) => {
                let accounts = pool.lock();
                let mut tenants = accounts.iter().map(|account| &account.tenant);
                tenants.find(|tenant| tenant.user_id == user_id).cloned()
            }
        }
    }

    /// Replaces the tokens of password logins before they expire.
    pub async fn renew(&self) -> Result<(), AccountError> {
        match self {
            Self::Minted(_) => Ok(()),
            Self::Pool(pool) => pool.renew().await,
        }
    }

    /// The claims of every token of the pool, or of one new token, each with the name of the token.
    pub fn claims(&self) -> Vec<(String, TokenClaims)> {
        match self {
            Self::Minted(minter) => {
                let tenant = minter.tenant(Uuid::new_v4()).ok();
                let claims = tenant.and_then(|tenant| TokenClaims::decode(&tenant.token));
                let claims = claims.map(|claims| ("a newly signed token".to_owned(), claims));
                claims.into_iter().collect()
            }
            Self::Pool(pool) => {
                let accounts = pool.lock();
                let claims = |account: &PooledAccount| {
                    let claims = TokenClaims::decode(&account.tenant.token)?;
                    Some((account.name.clone(), claims))
                };
                accounts.iter().filter_map(claims).collect()
            }
        }
    }

    /// The signer of tokens, if the target's secret is known.
    pub fn minter(&self) -> Option<&Minter> {
        match self {
            Self::Minted(minter) => Some(minter),
            Self::Pool(_) => None,
        }
    }

    /// The upload quota of the accounts, if their number is fixed.
    pub fn quota(&self) -> Option<&Arc<Quota>> {
        match self {
            Self::Minted(_) => None,
            Self::Pool(pool) => Some(&pool.quota),
        }
    }
}

impl AccountPool {
    fn new(
        accounts: Vec<PooledAccount>,
        login: Option<Login>,
        redactor: &Arc<Redactor>,
        daily: u32,
    ) -> Result<Self, AccountError> {
        for (index, account) in accounts.iter().enumerate() {
            redactor.learn(&account.tenant.token);
            let mut earlier = accounts[..index].iter();
            let user_id = account.tenant.user_id;
            if let Some(same) = earlier.find(|same| same.tenant.user_id == user_id) {
                return Err(AccountError::Duplicate {
                    one: same.name.clone(),
                    other: account.name.clone(),
                    user_id,
                });
            }
        }
        let users = accounts.iter().map(|account| account.tenant.user_id);
        Ok(Self {
            quota: Arc::new(Quota::new(daily, users)),
            accounts: Mutex::new(accounts),
            login,
            redactor: Arc::clone(redactor),
        })
    }

    fn acquire(&self) -> Result<Tenant, AccountError> {
        let mut accounts = self.lock();
        let count = accounts.len();
        let now = OffsetDateTime::now_utc();
        let free = accounts.iter_mut().filter(|account| !account.in_use);
        // An expired account sorts last: it is chosen only to report why no account is usable.
        let best = free.min_by_key(|account| {
            let uploads = self.quota.used(account.tenant.user_id);
            (!account.is_usable(now), uploads)
        });
        let best = best.ok_or(AccountError::Exhausted { count })?;
        if !best.is_usable(now) {
            let at = best.expires.and_then(|at| at.format(&Rfc3339).ok());
            return Err(AccountError::Expired {
                name: best.name.clone(),
                at: at.unwrap_or_default(),
            });
        }
        best.in_use = true;
        Ok(best.tenant.clone())
    }

    async fn renew(&self) -> Result<(), AccountError> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let now = OffsetDateTime::now_utc();
        let indices = 0..login.credentials.len();
        let due: Vec<_> = {
            let accounts = self.lock();
            indices
                .filter(|&index| accounts[index].needs_renewal(now))
                .collect()
        };
        for index in due {
            let (token, claims) = login.token(index).await?;
            self.redactor.learn(&token);
            self.lock()[index].renew(token, &claims);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PooledAccount>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
