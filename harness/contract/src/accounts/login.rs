//! Password login at Supabase Auth: `POST /auth/v1/token?grant_type=password`.

use serde_json::{Value, json};
use url::Url;

use super::token::TokenClaims;
use crate::probe::{Http, Request};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

/// An account cannot log in.
#[derive(Debug, thiserror::Error)]
#[error("log in as '{email}' at {supabase}: {reason}; correct [identity.login] of the target")]
pub struct LoginError {
    email: String,
    supabase: String,
    reason: String,
}

/// The login endpoint and the credentials of the accounts.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) http: reqwest::Client,
    pub(super) supabase: Url,
    pub(super) anon_key: Secret,
    /// Email address and password of each account.
    pub(super) credentials: Vec<(String, Secret)>,
}

impl Login {
    /// A new token of an account, and its claims.
    pub(super) async fn token(&self, account: usize) -> Result<(Secret, TokenClaims), LoginError> {
        let (email, password) = &self.credentials[account];
        let failed = |reason| LoginError {
            email: email.clone(),
            supabase: self.supabase.to_string(),
            reason,
        };
        let token = self.request_token(email, password).await.map_err(failed)?;
        let claims = TokenClaims::decode(&token)
            .ok_or_else(|| failed("the token is not a JWT with a user id as `sub`".to_owned()))?;
        Ok((token, claims))
    }

    async fn request_token(&self, email: &str, password: &Secret) -> Result<Secret, String> {
        let url = self
            .supabase
            .join("auth/v1/token?grant_type=password")
            .map_err(|error| error.to_string())?;
        // The exchange is not recorded: the request and the response contain credentials.
        let http = Http::new(self.http.clone(), "identity provider", Recorder::silent());
        let request = Request::post(url)
            .secret_header("apikey", &self.anon_key)
            .json(&json!({"email": email, "password": password.expose()}));
        let response = http.send(request).await;
        let response = response.map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        let body = serde_json::from_slice::<Value>(&response.body);
        if !response.is_success() {
            let detail = error_message(&body.unwrap_or_default());
            return Err(format!("the status is {}{detail}", response.status));
        }
        let body = body.map_err(|error| format!("the response is not JSON: {error}"))?;
        let token = body["access_token"].as_str();
        token
            .map(Secret::new)
            .ok_or_else(|| "the response has no access_token".to_owned())
    }
}

/// The message of an error response; its field name depends on the version of Auth.
fn error_message(body: &Value) -> String {
    let fields = ["msg", "error_description", "message"];
    let message = fields.iter().find_map(|name| body[*name].as_str());
    message
        .map(|message| format!(" ({message})"))
        .unwrap_or_default()
}
