//! The claims of a JWT, decoded without verification: whether they are true is up to the target.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::identity::Tenant;
use cutover_evidence::secret::Secret;

/// A token is renewed this long before it expires, so that a trial can finish with it.
const RENEW_BEFORE: Duration = Duration::minutes(10);

/// A token with less time left is unusable: the target would reject it during a trial.
const MIN_REMAINING: Duration = Duration::seconds(30);

/// The longest claim in a report, in characters.
const MAX_SHOWN: usize = 120;

/// The claims of a token.
#[derive(Clone, Debug)]
pub struct TokenClaims {
    /// The user's id.
    pub user_id: Uuid,
    /// The user's email address; empty if the token has none.
    pub email: String,
    /// When the token expires, if it does.
    pub expires: Option<OffsetDateTime>,
    claims: Value,
}

impl TokenClaims {
    /// Decodes a JWT; `None` unless its `sub` is a user id.
    pub fn decode(token: &Secret) -> Option<Self> {
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

    /// The value of one claim, for a report.
    pub fn claim(&self, name: &str) -> Option<String> {
        let value = self.claims.get(name).filter(|value| !value.is_null())?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        // The claim may contain control characters.
        Some(
            text.chars()
                .take(MAX_SHOWN)
                .flat_map(char::escape_debug)
                .collect(),
        )
    }

    /// When to renew the token: well before it expires, but not in the first half of a short lifetime.
    pub(super) fn renew_from(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let expires = self.expires?;
        Some(expires - RENEW_BEFORE.min((expires - now) / 2))
    }

    /// Until when a trial may start with the token: not in the last quarter of a short lifetime.
    pub(super) fn usable_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let expires = self.expires?;
        Some(expires - MIN_REMAINING.min((expires - now) / 4))
    }

    /// The tenant with this token.
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
    fn a_token_is_renewed_well_before_it_expires() {
        let now = OffsetDateTime::now_utc();
        let claims = |lifetime: i64| TokenClaims {
            user_id: Uuid::nil(),
            email: String::new(),
            expires: Some(now + Duration::seconds(lifetime)),
            claims: Value::Null,
        };
        let renewed_in =
            |lifetime| (claims(lifetime).renew_from(now).unwrap() - now).whole_seconds();
        assert_eq!(renewed_in(3600), 3000);
        assert_eq!(renewed_in(60), 30);
        assert!(
            renewed_in(-60) <= 0,
            "an expired token is renewed immediately"
        );
    }
}
