//! A target that somebody else runs: where it is, how to get in, and what we may do there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::secret_source::{SecretError, SecretSource};
use super::standins::StandinAddresses;
use crate::connection::{Connection, StorageAccess};
use cutover_contract::accounts::TokenSource;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;
use cutover_fault::{LinkName, LinkSettings};

/// The API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiSettings {
    /// Its origin.
    pub url: Url,
}

/// How tenants come by their tokens: exactly one of three ways.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// We sign tokens as the identity provider does.
    pub mint: Option<MintSettings>,
    /// We were given tokens of accounts that exist for this alone.
    pub tokens: Vec<SecretSource>,
    /// Accounts that exist for this alone log in at Supabase Auth.
    pub login: Option<LoginSettings>,
}

/// How the identity provider signs tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MintSettings {
    /// The HS256 secret.
    pub secret: SecretSource,
    /// The `iss` of a token.
    pub issuer: String,
    /// The `aud` of a token.
    #[serde(default = "authenticated")]
    pub audience: String,
}

fn authenticated() -> String {
    "authenticated".to_owned()
}

/// Where accounts log in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginSettings {
    /// The Supabase project.
    pub supabase_url: Url,
    /// Its public key.
    pub anon_key: SecretSource,
    /// The accounts.
    pub accounts: Vec<AccountSettings>,
}

/// An account that exists for this alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: SecretSource,
}

/// The database, which is only read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Its address, with a role of its own that may read.
    pub url: SecretSource,
}

/// The objects, which are only read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSettings {
    /// The Supabase project.
    pub supabase_url: Url,
    /// The key with which the service reads them.
    pub service_role_key: SecretSource,
}

/// How the parser's callback is proven, beyond what the contract says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackSettings {
    /// The static secret, for a contract whose `callback.auth` is `static_header` or `both`.
    pub token: SecretSource,
}

/// Everything about a target that somebody else runs.
pub struct Attachment<'a> {
    /// The API.
    pub api: &'a ApiSettings,
    /// How test tenants authenticate.
    pub identity: &'a IdentitySettings,
    /// The database.
    pub database: Option<&'a DatabaseSettings>,
    /// The object storage.
    pub storage: Option<&'a StorageSettings>,
    /// The stand-ins of its providers.
    pub standins: Option<&'a StandinAddresses>,
    /// Its connections that are led through cutover.
    pub links: &'a BTreeMap<LinkName, LinkSettings>,
    /// How callbacks are authenticated.
    pub callback: Option<&'a CallbackSettings>,
}

impl AccountSettings {
    pub(super) fn password(&self, redactor: &Redactor) -> Result<Secret, SecretError> {
        let key = format!("identity.login.accounts, password of {}", self.email);
        self.password.resolve(&key, redactor)
    }
}

impl IdentitySettings {
    /// What is wrong with it, if anything is.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let ways = [
            self.mint.is_some(),
            !self.tokens.is_empty(),
            self.login.is_some(),
        ];
        if ways.into_iter().filter(|given| *given).count() != 1 {
            return Some(
                "must say one of mint, tokens and login: how tenants come by their tokens",
            );
        }
        let accounts = self.login.as_ref().map(|login| login.accounts.len());
        if self.mint.is_none() && accounts.unwrap_or(self.tokens.len()) < 2 {
            return Some("must give at least two accounts: isolation cannot be seen with one");
        }
        let accounts = self.login.iter().flat_map(|login| &login.accounts);
        let mut emails = BTreeSet::new();
        if accounts
            .map(|account| account.email.to_lowercase())
            .any(|email| !emails.insert(email))
        {
            return Some("must not name an account of [identity.login] twice");
        }
        None
    }

    fn token_source(&self, redactor: &Redactor) -> Result<TokenSource, SecretError> {
        if let Some(mint) = &self.mint {
            return Ok(TokenSource::Mint {
                secret: mint.secret.resolve("identity.mint.secret", redactor)?,
                issuer: mint.issuer.clone(),
                audience: mint.audience.clone(),
            });
        }
        if let Some(login) = &self.login {
            let account = |account: &AccountSettings| {
                Ok((account.email.clone(), account.password(redactor)?))
            };
            return Ok(TokenSource::PasswordLogin {
                supabase: login.supabase_url.clone(),
                anon_key: login
                    .anon_key
                    .resolve("identity.login.anon_key", redactor)?,
                accounts: login
                    .accounts
                    .iter()
                    .map(account)
                    .collect::<Result<_, _>>()?,
            });
        }
        let tokens = self.tokens.iter().enumerate();
        let tokens = tokens
            .map(|(index, token)| token.resolve(&format!("identity.tokens[{index}]"), redactor));
        Ok(TokenSource::Static(tokens.collect::<Result<_, _>>()?))
    }
}

impl Attachment<'_> {
    /// Fetches the secrets; connects to nothing.
    ///
    /// # Errors
    /// Where a secret cannot be had.
    pub fn connection(&self, redactor: &Redactor) -> Result<Connection, SecretError> {
        let database = self
            .database
            .map(|database| database.url.resolve("database.url", redactor))
            .transpose()?;
        let storage = self
            .storage
            .map(|storage| {
                Ok(StorageAccess {
                    supabase: storage.supabase_url.clone(),
                    service_key: storage
                        .service_role_key
                        .resolve("storage.service_role_key", redactor)?,
                })
            })
            .transpose()?;
        let callback_token = self
            .callback
            .map(|callback| callback.token.resolve("callback.token", redactor))
            .transpose()?;
        Ok(Connection {
            api: self.api.url.clone(),
            callback_token,
            tokens: self.identity.token_source(redactor)?,
            database,
            storage,
            standins: self.standins.map(StandinAddresses::card),
            logs: Vec::new(),
        })
    }

    /// Every host that a run would talk to.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let behind = self.links.values().filter_map(LinkSettings::upstream_host);
        let named = self.origins().filter_map(|(_, url)| url.host_str());
        named.chain(behind)
    }

    /// Where a run would talk HTTP to somebody, the API first, each with what it is there for.
    pub fn origins(&self) -> impl Iterator<Item = (&'static str, &Url)> {
        let project = self.storage.map(|storage| &storage.supabase_url);
        let login = self
            .identity
            .login
            .as_ref()
            .map(|login| &login.supabase_url);
        let origins = [
            ("api", Some(&self.api.url)),
            ("storage", project),
            ("login", login),
        ];
        let origins = origins.into_iter();
        origins.filter_map(|(what, url)| Some((what, url?)))
    }
}
