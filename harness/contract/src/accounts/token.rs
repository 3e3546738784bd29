//! What a token says by its own word: whether the word is true is for the target to judge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::identity::Tenant;
use cutover_evidence::secret::Secret;

/// A token is renewed so long before it expires: a trial that begins with it must be able to end.
const AHEAD: Duration = Duration::minutes(10);

/// A token that has less left is of no use: a trial that took it would see it refused.
const LEAST: Duration = Duration::seconds(30);

/// As much of a claim is shown.
const SHOWN: usize = 120;

/// What a token says.
#[derive(Clone, Debug)]
pub struct TokenClaims {
    /// Whose it is.
    pub user_id: Uuid,
    /// The user's address; empty where it does not say.
    pub email: String,
    /// Until when it is valid; for ever where it does not say.
    pub expires: Option<OffsetDateTime>,
    claims: Value,
}

impl TokenClaims {
    /// What a token says, if it is a JWT whose `sub` is the id of a user.
    pub fn by(token: &Secret) -> Option<Self> {
        let claims = token.expose().split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let expires = claims["exp"].as_f64();
        Some(Self {
            user_id: claims["sub"].as_str()?.parse().ok()?,
            email: claims["email"].as_str().unwrap_or_default().to_owned(),
            expires: expires.map(|seconds| {
                OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::seconds_f64(seconds))
            }),
            claims,
        })
    }

    /// What it says of one thing, for a person.
    pub fn claim(&self, name: &str) -> Option<String> {
        let said = self.claims.get(name).filter(|said| !said.is_null())?;
        let text = said
            .as_str()
            .map_or_else(|| said.to_string(), str::to_owned);
        // Whoever signed it may have written anything.
        Some(
            text.chars()
                .take(SHOWN)
                .flat_map(char::escape_debug)
                .collect(),
        )
    }

    /// From when on it should be renewed: well before its end, but not in the first half of a short life.
    pub(super) fn stale_from(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let expires = self.expires?;
        Some(expires - AHEAD.min((expires - now) / 2))
    }

    /// Until when it may be lent; to the last quarter of a short life.
    pub(super) fn live_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let expires = self.expires?;
        Some(expires - LEAST.min((expires - now) / 4))
    }

    /// The tenant that bears the token.
    pub(super) fn tenant(&self, token: Secret) -> Tenant {
        Tenant {
            user_id: self.user_id,
            token,
            email: self.email.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_stale_well_before_its_end() {
        let now = OffsetDateTime::now_utc();
        let said = |life: i64| TokenClaims {
            user_id: Uuid::nil(),
            email: String::new(),
            expires: Some(now + Duration::seconds(life)),
            claims: Value::Null,
        };
        let stale_in = |life| (said(life).stale_from(now).unwrap() - now).whole_seconds();
        assert_eq!(stale_in(3600), 3000);
        assert_eq!(stale_in(60), 30);
        assert!(
            stale_in(-60) <= 0,
            "a token that has expired is stale at once"
        );
    }
}
