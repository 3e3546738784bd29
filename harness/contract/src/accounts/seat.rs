//! One account of a pool: its tenant, how long its token is good for, and whether it is lent.

use time::OffsetDateTime;

use super::login::Login;
use super::pool::AccountError;
use super::token::TokenClaims;
use crate::identity::Tenant;
use cutover_evidence::secret::Secret;

/// One account.
#[derive(Debug)]
pub(super) struct Seat {
    /// What errors call it.
    pub(super) name: String,
    pub(super) tenant: Tenant,
    pub(super) expires: Option<OffsetDateTime>,
    live_until: Option<OffsetDateTime>,
    stale_from: Option<OffsetDateTime>,
    pub(super) lent: bool,
}

impl Seat {
    /// An account with a token of its own, lent to nobody.
    pub(super) fn new(name: String, token: Secret, said: &TokenClaims) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            name,
            expires: said.expires,
            live_until: said.live_until(now),
            stale_from: said.stale_from(now),
            tenant: said.tenant(token),
            lent: false,
        }
    }

    /// Gives it a new token, whoever has it.
    pub(super) fn renew(&mut self, token: Secret, said: &TokenClaims) {
        let renewed = Self::new(std::mem::take(&mut self.name), token, said);
        let lent = self.lent;
        *self = Self { lent, ..renewed };
    }

    /// Whether a trial that takes it now can use it to its end.
    pub(super) fn is_live(&self, now: OffsetDateTime) -> bool {
        self.live_until.is_none_or(|until| until > now)
    }

    /// Whether it should have a new token by now.
    pub(super) fn is_stale(&self, now: OffsetDateTime) -> bool {
        self.stale_from.is_some_and(|from| from <= now)
    }
}

/// Accounts whose tokens were given to us.
pub(super) fn given(tokens: &[Secret]) -> Result<Vec<Seat>, AccountError> {
    let seat = |(index, token): (usize, &Secret)| {
        let number = index + 1;
        let said = TokenClaims::by(token).ok_or(AccountError::Anonymous { number })?;
        Ok(Seat::new(format!("token {number}"), token.clone(), &said))
    };
    tokens.iter().enumerate().map(seat).collect()
}

/// Accounts that log in, one after the other.
pub(super) async fn logged_in(login: &Login) -> Result<Vec<Seat>, AccountError> {
    let mut seats = Vec::new();
    for (index, (email, _)) in login.accounts.iter().enumerate() {
        let (token, said) = login.token(index).await?;
        seats.push(Seat::new(format!("account '{email}'"), token, &said));
    }
    Ok(seats)
}
