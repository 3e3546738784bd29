//! Where tenants come from: as many as are asked for, or a pool that is lent to trials.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::login::{Login, LoginError};
use super::quota::Quota;
use super::seat::{Seat, given, logged_in};
use super::token::TokenClaims;
use super::token_source::TokenSource;
use crate::identity::{Minter, Tenant, TokenError};
use cutover_evidence::redact::Redactor;

/// Accounts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A token could not be signed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token does not say whose it is.
    #[error("read token {number} of [identity]: it is no JWT whose `sub` is the id of a user")]
    Anonymous {
        /// Which of the tokens, from 1.
        number: usize,
    },
    /// An account cannot log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Two accounts are one.
    #[error("{one} and {other} of [identity] are of one user, {user_id}: give different ones")]
    Twice {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// The user of both.
        user_id: Uuid,
    },
    /// The tokens that are left have expired.
    #[error(
        "{name} of [identity] expires at {at}, too soon for a trial: give a new one, or accounts that log in under [identity.login]"
    )]
    Expired {
        /// The account or token.
        name: String,
        /// When it expires.
        at: String,
    },
    /// There are fewer accounts than tenants are needed at once.
    #[error(
        "the target gives {count} accounts and all are in use; give more under [identity], or a secret to mint tokens with"
    )]
    Exhausted {
        /// How many there are.
        count: usize,
    },
}

/// The tenants of a target.
#[derive(Debug)]
pub enum Accounts {
    /// As many as are asked for.
    Minted(Minter),
    /// Those that there are, lent and given back.
    Pool(Pool),
}

/// Accounts that there are.
#[derive(Debug)]
pub struct Pool {
    seats: Mutex<Vec<Seat>>,
    quota: Arc<Quota>,
    /// Where they come by new tokens, in the order of the seats.
    login: Option<Login>,
    redactor: Arc<Redactor>,
}

impl Accounts {
    /// Makes the accounts ready; logs in where that is how tokens are come by. Each may upload
    /// `daily` documents in a day.
    pub async fn open(
        source: &TokenSource,
        http: &reqwest::Client,
        redactor: &Arc<Redactor>,
        daily: u32,
    ) -> Result<Self, AccountError> {
        let (seats, login) = match source {
            TokenSource::Mint {
                secret,
                issuer,
                audience,
            } => {
                let minter = Minter::new(secret.clone(), issuer, audience, Arc::clone(redactor));
                return Ok(Self::Minted(minter));
            }
            TokenSource::Static(tokens) => (given(tokens)?, None),
            TokenSource::PasswordLogin {
                supabase,
                anon_key,
                accounts,
            } => {
                let login = Login {
                    http: http.clone(),
                    supabase: supabase.clone(),
                    anon_key: anon_key.clone(),
                    accounts: accounts.clone(),
                };
                (logged_in(&login).await?, Some(login))
            }
        };
        Ok(Self::Pool(Pool::of(seats, login, redactor, daily)?))
    }

    /// A tenant that no other trial has: a new one where tokens can be minted, else the one
    /// that has uploaded least in this run.
    pub fn take(&self, user_id: Uuid) -> Result<Tenant, AccountError> {
        match self {
            Self::Minted(minter) => Ok(minter.tenant(user_id)?),
            Self::Pool(pool) => pool.take(),
        }
    }

    /// Gives tenants back.
    pub fn give_back(&self, tenants: impl IntoIterator<Item = Tenant>) {
        if let Self::Pool(pool) = self {
            let mut seats = pool.seats();
            for tenant in tenants {
                let mut seats = seats.iter_mut();
                if let Some(seat) = seats.find(|seat| seat.tenant.user_id == tenant.user_id) {
                    seat.lent = false;
                }
            }
        }
    }

    /// The tenant of this id, if it is one of ours; whether somebody has it does not matter.
    pub fn of(&self, user_id: Uuid) -> Option<Tenant> {
        match self {
            Self::Minted(minter) => minter.tenant(user_id).ok(),
            Self::Pool(pool) => {
                let seats = pool.seats();
                let mut tenants = seats.iter().map(|seat| &seat.tenant);
                tenants.find(|tenant| tenant.user_id == user_id).cloned()
            }
        }
    }

    /// Gives accounts that log in new tokens before theirs expire.
    pub async fn renew(&self) -> Result<(), AccountError> {
        match self {
            Self::Minted(_) => Ok(()),
            Self::Pool(pool) => pool.renew().await,
        }
    }

    /// What the tokens say, each with what it is called: those of the pool, or one that is signed for it.
    pub fn said(&self) -> Vec<(String, TokenClaims)> {
        match self {
            Self::Minted(minter) => {
                let tenant = minter.tenant(Uuid::new_v4()).ok();
                let said = tenant.and_then(|tenant| TokenClaims::by(&tenant.token));
                let said = said.map(|said| ("one that we sign".to_owned(), said));
                said.into_iter().collect()
            }
            Self::Pool(pool) => {
                let seats = pool.seats();
                let said =
                    |seat: &Seat| Some((seat.name.clone(), TokenClaims::by(&seat.tenant.token)?));
                seats.iter().filter_map(said).collect()
            }
        }
    }

    /// What signs tokens, where we can.
    pub fn minter(&self) -> Option<&Minter> {
        match self {
            Self::Minted(minter) => Some(minter),
            Self::Pool(_) => None,
        }
    }

    /// What the accounts have uploaded, where there are only so many.
    pub fn quota(&self) -> Option<&Arc<Quota>> {
        match self {
            Self::Minted(_) => None,
            Self::Pool(pool) => Some(&pool.quota),
        }
    }
}

impl Pool {
    fn of(
        seats: Vec<Seat>,
        login: Option<Login>,
        redactor: &Arc<Redactor>,
        daily: u32,
    ) -> Result<Self, AccountError> {
        for (index, seat) in seats.iter().enumerate() {
            redactor.learn(&seat.tenant.token);
            let mut earlier = seats[..index].iter();
            let user_id = seat.tenant.user_id;
            if let Some(same) = earlier.find(|same| same.tenant.user_id == user_id) {
                return Err(AccountError::Twice {
                    one: same.name.clone(),
                    other: seat.name.clone(),
                    user_id,
                });
            }
        }
        Ok(Self {
            quota: Arc::new(Quota::new(
                daily,
                seats.iter().map(|seat| seat.tenant.user_id),
            )),
            seats: Mutex::new(seats),
            login,
            redactor: Arc::clone(redactor),
        })
    }

    fn take(&self) -> Result<Tenant, AccountError> {
        let mut seats = self.seats();
        let count = seats.len();
        let now = OffsetDateTime::now_utc();
        let free = seats.iter_mut().filter(|seat| !seat.lent);
        // One that has expired is the last choice, and tells then why there is none.
        let best =
            free.min_by_key(|seat| (!seat.is_live(now), self.quota.used(seat.tenant.user_id)));
        let best = best.ok_or(AccountError::Exhausted { count })?;
        if !best.is_live(now) {
            let at = best.expires.and_then(|at| at.format(&Rfc3339).ok());
            return Err(AccountError::Expired {
                name: best.name.clone(),
                at: at.unwrap_or_default(),
            });
        }
        best.lent = true;
        Ok(best.tenant.clone())
    }

    async fn renew(&self) -> Result<(), AccountError> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let now = OffsetDateTime::now_utc();
        let accounts = 0..login.accounts.len();
        let stale: Vec<_> = {
            let seats = self.seats();
            accounts
                .filter(|&index| seats[index].is_stale(now))
                .collect()
        };
        for index in stale {
            let (token, said) = login.token(index).await?;
            self.redactor.learn(&token);
            self.seats()[index].renew(token, &said);
        }
        Ok(())
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
