//! Accounts: the tenants of a target, of which a trial takes those that nobody else has.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::doors::IdentityDoor;
use crate::identity::{Minter, Tenant, TokenError};
use crate::journal::Recorder;
use crate::probe::{Http, Request};
use crate::redact::Redactor;
use crate::secret::Secret;

/// Accounts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
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
    #[error("log in as '{email}': {why}; mend [identity.login] of the target")]
    Login {
        /// The account.
        email: String,
        /// Why.
        why: String,
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
pub(crate) enum Accounts {
    /// As many as are asked for.
    Minted(Minter),
    /// Those that there are, taken and given back.
    Pool {
        free: Mutex<Vec<Tenant>>,
        count: usize,
    },
}

impl Accounts {
    /// Makes the accounts ready; logs in where that is how tokens are come by.
    pub(crate) async fn open(
        door: &IdentityDoor,
        http: &reqwest::Client,
        redactor: &Arc<Redactor>,
    ) -> Result<Self, AccountError> {
        let tenants = match door {
            IdentityDoor::Minted {
                secret,
                issuer,
                audience,
            } => {
                let minter = Minter::new(secret.clone(), issuer, audience, Arc::clone(redactor));
                return Ok(Self::Minted(minter));
            }
            IdentityDoor::Given(tokens) => tokens
                .iter()
                .enumerate()
                .map(|(index, token)| {
                    let number = index + 1;
                    tenant_of(token).ok_or(AccountError::Anonymous { number })
                })
                .collect::<Result<Vec<_>, _>>()?,
            IdentityDoor::Login {
                supabase,
                anon_key,
                accounts,
            } => {
                let mut tenants = Vec::new();
                for (email, password) in accounts {
                    let token = log_in(http, supabase, anon_key, email, password).await;
                    let token = token.map_err(|why| AccountError::Login {
                        email: email.clone(),
                        why,
                    })?;
                    let nameless = || AccountError::Login {
                        email: email.clone(),
                        why: "its token is no JWT whose `sub` is the id of a user".to_owned(),
                    };
                    tenants.push(tenant_of(&token).ok_or_else(nameless)?);
                }
                tenants
            }
        };
        for tenant in &tenants {
            redactor.learn(&tenant.token);
        }
        Ok(Self::Pool {
            count: tenants.len(),
            free: Mutex::new(tenants),
        })
    }

    /// A tenant that no other trial has: a new one where tokens can be minted.
    pub(crate) fn take(&self, user_id: Uuid) -> Result<Tenant, AccountError> {
        match self {
            Self::Minted(minter) => Ok(minter.tenant(user_id)?),
            Self::Pool { free, count } => {
                let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
                free.pop().ok_or(AccountError::Exhausted { count: *count })
            }
        }
    }

    /// Gives tenants back.
    pub(crate) fn give_back(&self, tenants: impl IntoIterator<Item = Tenant>) {
        if let Self::Pool { free, .. } = self {
            free.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(tenants);
        }
    }

    /// The tenant of this id, if it is one of ours; whether somebody has it does not matter.
    pub(crate) fn of(&self, user_id: Uuid) -> Option<Tenant> {
        match self {
            Self::Minted(minter) => minter.tenant(user_id).ok(),
            Self::Pool { free, .. } => {
                let free = free.lock().unwrap_or_else(PoisonError::into_inner);
                free.iter()
                    .find(|tenant| tenant.user_id == user_id)
                    .cloned()
            }
        }
    }

    /// What signs tokens, where we can.
    pub(crate) fn minter(&self) -> Option<&Minter> {
        match self {
            Self::Minted(minter) => Some(minter),
            Self::Pool { .. } => None,
        }
    }
}

/// Whose token it is, by its own word: whether the word is true is for the target to judge.
fn tenant_of(token: &Secret) -> Option<Tenant> {
    let claims = token.expose().split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(Tenant {
        user_id: claims["sub"].as_str()?.parse().ok()?,
        token: token.clone(),
        email: claims["email"].as_str().unwrap_or_default().to_owned(),
    })
}

/// Supabase Auth: `POST /auth/v1/token?grant_type=password`.
async fn log_in(
    http: &reqwest::Client,
    supabase: &Url,
    anon_key: &Secret,
    email: &str,
    password: &Secret,
) -> Result<Secret, String> {
    let address = supabase
        .join("auth/v1/token?grant_type=password")
        .map_err(|error| error.to_string())?;
    // Nothing is recorded: both the question and the answer open doors.
    let http = Http::new(http.clone(), "identity provider", Recorder::silent());
    let request = Request::post(address)
        .secret_header("apikey", anon_key)
        .json(&json!({"email": email, "password": password.expose()}));
    let answer = http.send(request).await;
    let answer = answer.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
    if !answer.is_success() {
        return Err(format!("the identity provider answers {}", answer.status));
    }
    let body: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("the identity provider's answer is not JSON: {error}"))?;
    let token = body["access_token"].as_str();
    token
        .map(Secret::new)
        .ok_or_else(|| "the identity provider gives no access_token".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::client;
    use crate::probe::tests::wire::Wire;

    fn token(claims: &str) -> Secret {
        Secret::new(format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims)))
    }

    async fn open(door: IdentityDoor) -> Result<Accounts, AccountError> {
        let http = client().unwrap();
        Accounts::open(&door, &http, &Arc::new(Redactor::default())).await
    }

    async fn pool(tokens: Vec<Secret>) -> Result<Accounts, AccountError> {
        open(IdentityDoor::Given(tokens)).await
    }

    /// Why nobody can log in at this server.
    async fn refused_at(wire: Wire) -> String {
        let account = ("a@example.org".to_owned(), Secret::new("hunter2"));
        let door = IdentityDoor::Login {
            supabase: wire.url,
            anon_key: Secret::new("anon"),
            accounts: vec![account.clone(), account],
        };
        let error = open(door).await.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.starts_with("log in as 'a@example.org': "), "{error}");
        error
    }

    #[tokio::test]
    async fn an_account_is_one_trials_at_a_time() {
        let user = Uuid::from_u128(7);
        let accounts = pool(vec![token(&format!("{{\"sub\":\"{user}\"}}"))])
            .await
            .unwrap();
        let tenant = accounts.take(Uuid::nil()).unwrap();
        assert_eq!(tenant.user_id, user);
        let refused = accounts.take(Uuid::nil()).unwrap_err();
        assert!(matches!(refused, AccountError::Exhausted { count: 1 }));
        accounts.give_back([tenant]);
        assert!(accounts.take(Uuid::nil()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_identity_provider_that_says_nothing_is_not_waited_for() {
        let silent = Wire::new(|stream, _| async move {
            let _open = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let error = refused_at(silent).await;
        assert!(error.contains("did not answer within 10s"), "{error}");
    }

    #[tokio::test]
    async fn an_identity_provider_that_says_something_else_is_quoted_without_its_secrets() {
        for (said, told) in [
            ("HTTP/1.1 400 Bad Request\r\n\r\n{}", "answers 400"),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", "is not JSON"),
            ("HTTP/1.1 200 OK\r\n\r\n{}", "gives no access_token"),
            ("SSH-2.0", "broke off its answer"),
        ] {
            let error = refused_at(Wire::saying(said).await).await;
            assert!(error.contains(told), "{error}");
        }
    }

    #[tokio::test]
    async fn a_token_that_names_nobody_is_refused_by_its_number() {
        let error = pool(vec![token("{\"sub\":\"7\"}")]).await.unwrap_err();
        assert!(error.to_string().contains("token 1"), "{error}");
    }
}
