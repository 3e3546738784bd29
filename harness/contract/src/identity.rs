//! Test tenants and their tokens, including invalid tokens that the API must reject.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::jwt;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// The lifetime of a token.
const LIFETIME: Duration = Duration::hours(1);

/// A test user of the pipeline.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The user's id.
    pub user_id: Uuid,
    /// The bearer token.
    pub token: Secret,
    /// The email address.
    pub email: String,
}

/// The claims of a Supabase token. Change a field to create a token that the API must reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// The audience.
    pub aud: String,
    /// The issuer.
    pub iss: String,
    /// The issue time, in seconds since 1970.
    pub iat: i64,
    /// The expiry time, in seconds since 1970.
    pub exp: i64,
    /// The database role.
    pub role: String,
    /// The user's email address.
    pub email: String,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("sign a token")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// Signs tokens with the secret of the target's identity provider.
#[derive(Clone, Debug)]
pub struct Minter {
    secret: Secret,
    issuer: String,
    audience: String,
    redactor: Arc<Redactor>,
}

impl Minter {
    /// A signer with the secret that the target trusts; the redactor learns every token.
    pub fn new(
        secret: Secret,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            secret,
            issuer: issuer.into(),
            audience: audience.into(),
            redactor,
        }
    }

    /// The same signer with another secret, which the target does not trust.
    #[must_use]
    pub fn with_secret(&self, secret: Secret) -> Self {
        Self {
            secret,
            ..self.clone()
        }
    }

    /// A user with a valid token.
    pub fn tenant(&self, user_id: Uuid) -> Result<Tenant, TokenError> {
        self.tenant_with_claims(user_id, &self.claims(user_id))
    }

    /// A user with a token that expired an hour ago.
    pub fn expired(&self, user_id: Uuid) -> Result<Tenant, TokenError> {
        let mut claims = self.claims(user_id);
        claims.iat -= 2 * LIFETIME.whole_seconds();
        claims.exp -= 2 * LIFETIME.whole_seconds();
        self.tenant_with_claims(user_id, &claims)
    }

    /// A user with a token with these claims.
    pub fn tenant_with_claims(&self, user_id: Uuid, claims: &Claims) -> Result<Tenant, TokenError> {
        Ok(Tenant {
            user_id,
            token: self.token(claims)?,
            email: claims.email.clone(),
        })
    }

    /// The claims of a valid token for a user.
    pub fn claims(&self, user_id: Uuid) -> Claims {
        let now = OffsetDateTime::now_utc();
        Claims {
            sub: user_id.to_string(),
            aud: self.audience.clone(),
            iss: self.issuer.clone(),
            iat: now.unix_timestamp(),
            exp: (now + LIFETIME).unix_timestamp(),
            role: "authenticated".to_owned(),
            email: format!("cutover+{user_id}@example.invalid"),
        }
    }

    /// A signed token with these claims.
    pub fn token(&self, claims: &impl Serialize) -> Result<Secret, TokenError> {
        let token = jwt::sign(claims, self.secret.expose().as_bytes())?;
        Ok(self.learned(token))
    }

    /// An unsigned token with these claims and the algorithm `none`. It is encoded here,
    /// because JWT libraries do not create such tokens.
    pub fn unsigned(&self, claims: &Claims) -> Result<Secret, TokenError> {
        let claims = serde_json::to_vec(claims).map_err(jsonwebtoken::errors::Error::from)?;
        let [header, claims] = [br#"{"alg":"none","typ":"JWT"}"#.as_slice(), &claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
        Ok(self.learned(format!("{header}.{claims}.")))
    }

    fn learned(&self, token: String) -> Secret {
        let token = Secret::new(token);
        self.redactor.learn(&token);
        token
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, Validation};
    use serde_json::Value;

    use super::*;

    const ISSUER: &str = "http://127.0.0.1/auth/v1";

    fn minter() -> Minter {
        Minter::new(
            Secret::new("the secret of this test"),
            ISSUER,
            "authenticated",
            Arc::default(),
        )
    }

    fn verified(token: &Secret) -> jsonwebtoken::errors::Result<Value> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["authenticated"]);
        validation.set_issuer(&[ISSUER]);
        jwt::verify(token.expose(), b"the secret of this test", &validation)
    }

    #[test]
    fn the_token_of_a_tenant_has_its_id_as_subject() {
        let tenant = minter().tenant(Uuid::from_u128(7)).unwrap();
        let claims = verified(&tenant.token).unwrap();
        assert_eq!(claims["sub"], Uuid::from_u128(7).to_string());
        assert_eq!(claims["role"], "authenticated");
    }

    #[test]
    fn invalid_tokens_fail_the_verification() {
        let minter = minter();
        let user = Uuid::from_u128(7);
        let forged = minter
            .with_secret(Secret::random())
            .tenant(user)
            .unwrap()
            .token;
        let expired = minter.expired(user).unwrap().token;
        let unsigned = minter.unsigned(&minter.claims(user)).unwrap();
        for token in [forged, expired, unsigned] {
            verified(&token).unwrap_err();
        }
    }

    #[test]
    fn the_redactor_masks_every_token() {
        let redactor = Arc::new(Redactor::default());
        let minter = Minter::new(
            Secret::random(),
            ISSUER,
            "authenticated",
            Arc::clone(&redactor),
        );
        let token = minter.tenant(Uuid::new_v4()).unwrap().token;
        assert!(!redactor.redact(token.expose().to_owned()).contains('.'));
    }
}
