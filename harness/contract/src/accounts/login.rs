//! Accounts that log in at Supabase Auth: `POST /auth/v1/token?grant_type=password`.

use serde_json::{Value, json};
use url::Url;

use super::token::TokenClaims;
use crate::probe::{Http, Request};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

/// An account that cannot log in.
#[derive(Debug, thiserror::Error)]
#[error("log in as '{email}' at {supabase}: {why}; mend [identity.login] of the target")]
pub struct LoginError {
    email: String,
    supabase: String,
    why: String,
}

/// Where accounts log in, and with what.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) http: reqwest::Client,
    pub(super) supabase: Url,
    pub(super) anon_key: Secret,
    /// Address and password of each account.
    pub(super) accounts: Vec<(String, Secret)>,
}

impl Login {
    /// A new token of an account, and what it says.
    pub(super) async fn token(&self, account: usize) -> Result<(Secret, TokenClaims), LoginError> {
        let (email, password) = &self.accounts[account];
        let refused = |why| LoginError {
            email: email.clone(),
            supabase: self.supabase.to_string(),
            why,
        };
        let token = self.ask(email, password).await.map_err(refused)?;
        let said = TokenClaims::by(&token).ok_or_else(|| {
            refused("its token is no JWT whose `sub` is the id of a user".to_owned())
        })?;
        Ok((token, said))
    }

    async fn ask(&self, email: &str, password: &Secret) -> Result<Secret, String> {
        let address = self
            .supabase
            .join("auth/v1/token?grant_type=password")
            .map_err(|error| error.to_string())?;
        // Nothing is recorded: both the question and the answer open doors.
        let http = Http::new(self.http.clone(), "identity provider", Recorder::silent());
        let request = Request::post(address)
            .secret_header("apikey", &self.anon_key)
            .json(&json!({"email": email, "password": password.expose()}));
        let answer = http.send(request).await;
        let answer = answer.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        let body = serde_json::from_slice::<Value>(&answer.body);
        if !answer.is_success() {
            let said = body.unwrap_or_default();
            return Err(format!("it answers {}{}", answer.status, reason(&said)));
        }
        let body = body.map_err(|error| format!("its answer is not JSON: {error}"))?;
        let token = body["access_token"].as_str();
        token
            .map(Secret::new)
            .ok_or_else(|| "it gives no access_token".to_owned())
    }
}

/// What a refusal says, by the names that versions of Auth have for it.
fn reason(body: &Value) -> String {
    let said = ["msg", "error_description", "message"];
    let said = said.iter().find_map(|name| body[*name].as_str());
    said.map(|said| format!(" ({said})")).unwrap_or_default()
}
