//! Who asks: tenants that nobody has used before, their tokens, and tokens that must not be accepted.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::jwt;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// How long a token is valid.
const LIFETIME: Duration = Duration::hours(1);

/// A user of the pipeline.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub user_id: Uuid,
    /// What proves it.
    pub token: Secret,
    /// Its address.
    pub email: String,
}

/// What a token says, as Supabase writes it. Change a field to make a token that must be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// For whom the token is.
    pub aud: String,
    /// Who gave it.
    pub iss: String,
    /// When it was given, in seconds since 1970.
    pub iat: i64,
    /// Until when it is valid, in seconds since 1970.
    pub exp: i64,
    /// The role in the database.
    pub role: String,
    /// The user's address.
    pub email: String,
}

/// A token that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("sign a token")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// Gives tokens in the name of the target's identity provider.
#[derive(Clone, Debug)]
pub struct Minter {
    secret: Secret,
    issuer: String,
    audience: String,
    redactor: Arc<Redactor>,
}

impl Minter {
    /// Signs with the secret that the target trusts; the redactor learns every token.
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

    /// The same minter with a secret that the target does not trust.
    #[must_use]
    pub fn with_secret(&self, secret: Secret) -> Self {
        Self {
            secret,
            ..self.clone()
        }
    }

    /// A user with a valid token.
    pub fn tenant(&self, user_id: Uuid) -> Result<Tenant, TokenError> {
        self.tenant_claiming(user_id, &self.claims(user_id))
    }

    /// A user whose token expired an hour ago.
    pub fn expired(&self, user_id: Uuid) -> Result<Tenant, TokenError> {
        let mut claims = self.claims(user_id);
        claims.iat -= 2 * LIFETIME.whole_seconds();
        claims.exp -= 2 * LIFETIME.whole_seconds();
        self.tenant_claiming(user_id, &claims)
    }

    /// A user whose token says this.
    pub fn tenant_claiming(&self, user_id: Uuid, claims: &Claims) -> Result<Tenant, TokenError> {
        Ok(Tenant {
            user_id,
            token: self.token(claims)?,
            email: claims.email.clone(),
        })
    }

    /// What a valid token for a user says.
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

    /// A token that says this.
    pub fn token(&self, claims: &impl Serialize) -> Result<Secret, TokenError> {
        let token = jwt::sign(claims, self.secret.expose().as_bytes())?;
        Ok(self.learned(token))
    }

    /// A token that says this and whose header names no algorithm; written by hand,
    /// because libraries rightly refuse to.
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
    fn a_tenant_is_who_its_token_says() {
        let tenant = minter().tenant(Uuid::from_u128(7)).unwrap();
        let claims = verified(&tenant.token).unwrap();
        assert_eq!(claims["sub"], Uuid::from_u128(7).to_string());
        assert_eq!(claims["role"], "authenticated");
    }

    #[test]
    fn tokens_that_must_be_refused_are_refused() {
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
    fn the_redactor_knows_every_token() {
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
