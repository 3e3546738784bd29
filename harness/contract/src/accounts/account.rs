//! One account of a pool: its tenant, the expiry of its token, and whether a trial uses it.

use time::OffsetDateTime;

use super::error::AccountError;
use super::login::Login;
use super::token::TokenClaims;
use crate::identity::Tenant;
use cutover_evidence::secret::Secret;

/// One account of a pool.
#[derive(Debug)]
pub(super) struct PooledAccount {
    /// Its name in error messages.
    pub(super) name: String,
    pub(super) tenant: Tenant,
    pub(super) expires: Option<OffsetDateTime>,
    usable_until: Option<OffsetDateTime>,
    renew_from: Option<OffsetDateTime>,
    pub(super) in_use: bool,
}

impl PooledAccount {
    /// An account that no trial uses yet.
    pub(super) fn new(name: String, token: Secret, claims: &TokenClaims) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            name,
            expires: claims.expires,
            usable_until: claims.usable_until(now),
            renew_from: claims.renew_from(now),
            tenant: claims.tenant(token),
            in_use: false,
        }
    }

    /// Replaces the token, even while a trial uses the account.
    pub(super) fn renew(&mut self, token: Secret, claims: &TokenClaims) {
        let renewed = Self::new(std::mem::take(&mut self.name), token, claims);
        let in_use = self.in_use;
        *self = Self { in_use, ..renewed };
    }

    /// Whether the token outlives a trial that starts now.
    pub(super) fn is_usable(&self, now: OffsetDateTime) -> bool {
        self.usable_until.is_none_or(|until| until > now)
    }

    /// Whether the token should be replaced now.
    pub(super) fn needs_renewal(&self, now: OffsetDateTime) -> bool {
        self.renew_from.is_some_and(|from| from <= now)
    }
}

/// Accounts with the tokens of the target file.
pub(super) fn from_tokens(tokens: &[Secret]) -> Result<Vec<PooledAccount>, AccountError> {
    let account = |(index, token): (usize, &Secret)| {
        let number = index + 1;
        let claims = TokenClaims::decode(token).ok_or(AccountError::NoUser { number })?;
        let name = format!("token {number}");
        Ok(PooledAccount::new(name, token.clone(), &claims))
    };
    tokens.iter().enumerate().map(account).collect()
}

/// Accounts with tokens from a password login; the logins run one after the other.
pub(super) async fn log_in_all(login: &Login) -> Result<Vec<PooledAccount>, AccountError> {
    let mut accounts = Vec::new();
    for (index, (email, _)) in login.credentials.iter().enumerate() {
        let (token, claims) = login.token(index).await?;
        let name = format!("account '{email}'");
        accounts.push(PooledAccount::new(name, token, &claims));
    }
    Ok(accounts)
}
