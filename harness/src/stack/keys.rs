//! The secrets of one stack: random, and worth nothing outside of it.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::jwt;
use crate::secret::Secret;

/// A project key that could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("sign the '{role}' key of the stack")]
pub struct KeyError {
    role: &'static str,
    source: jsonwebtoken::errors::Error,
}

/// The secrets of one stack.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) jwt_secret: Secret,
    pub(crate) anon: Secret,
    pub(crate) service_role: Secret,
    pub(crate) parser: Secret,
    pub(crate) embedder: Secret,
    pub(crate) app_password: Secret,
    pub(crate) callback: Secret,
}

/// What a project key of Supabase says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    r#ref: &'a str,
    role: &'a str,
    iat: i64,
    exp: i64,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let jwt_secret = Secret::random();
        Ok(Self {
            anon: project_key("anon", &jwt_secret)?,
            service_role: project_key("service_role", &jwt_secret)?,
            jwt_secret,
            parser: prefixed("llx-"),
            embedder: prefixed("sk-"),
            app_password: Secret::random(),
            callback: Secret::random(),
        })
    }
}

fn prefixed(prefix: &str) -> Secret {
    Secret::new(format!("{prefix}{}", Secret::random().expose()))
}

fn project_key(role: &'static str, secret: &Secret) -> Result<Secret, KeyError> {
    let now = OffsetDateTime::now_utc();
    let claims = Claims {
        iss: "supabase",
        r#ref: "cutover",
        role,
        iat: now.unix_timestamp(),
        exp: (now + Duration::days(1)).unix_timestamp(),
    };
    jwt::sign(&claims, secret.expose().as_bytes())
        .map(Secret::new)
        .map_err(|source| KeyError { role, source })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, Validation};

    use super::*;

    #[test]
    fn a_project_key_names_its_role_and_is_signed_with_the_secret() {
        let keys = Keys::generate().expect("keys");
        let decode = |secret: &Secret| {
            jwt::verify::<serde_json::Value>(
                keys.service_role.expose(),
                secret.expose().as_bytes(),
                &Validation::new(Algorithm::HS256),
            )
        };
        let claims = decode(&keys.jwt_secret).expect("a valid key");
        assert_eq!(claims["role"], "service_role");
        assert_eq!(claims["ref"], "cutover");
        assert!(decode(&keys.parser).is_err());
    }
}
