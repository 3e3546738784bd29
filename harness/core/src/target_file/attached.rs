//! The tables of a target file that describe an attached target: endpoints, identity and data stores.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::logs::LogSettings;
use super::secret_source::{SecretError, SecretSource};
use super::standins::StandinAddresses;
use crate::connection::{Connection, StorageAccess};
use crate::environment::IdentificationSettings;
use crate::resources::ResourceSettings;
use cutover_contract::accounts::TokenSource;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;
use cutover_fault::{LinkName, LinkSettings};

/// The API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiSettings {
    /// The origin.
    pub url: Url,
}

/// How test tenants authenticate: exactly one of three methods.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// cutover signs tokens as the identity provider does.
    pub mint: Option<MintSettings>,
    /// Tokens of existing test accounts.
    pub tokens: Vec<SecretSource>,
    /// Test accounts log in at Supabase Auth.
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

/// Where test accounts log in.
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

/// A test account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// Its email address.
    pub email: String,
    /// Its password.
    pub password: SecretSource,
}

/// The database, used read-only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Its URL, with a role that may only read.
    pub url: SecretSource,
}

/// The object storage, used read-only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSettings {
    /// The Supabase project.
    pub supabase_url: Url,
    /// The service role key.
    pub service_role_key: SecretSource,
}

/// How the parser's callbacks are authenticated, in addition to the contract.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackSettings {
    /// The static secret, for a contract whose `callback.auth` is `static_header` or `both`.
    pub token: SecretSource,
}

/// How to reach an attached target.
pub struct Attachment<'a> {
    /// The API.
    pub api: &'a ApiSettings,
    /// How test tenants authenticate.
    pub identity: &'a IdentitySettings,
    /// How it says which environment it is.
    pub identification: &'a IdentificationSettings,
    /// The database.
    pub database: Option<&'a DatabaseSettings>,
    /// The object storage.
    pub storage: Option<&'a StorageSettings>,
    /// The stand-ins of its providers.
    pub standins: Option<&'a StandinAddresses>,
    /// Its connections that pass through cutover.
    pub links: &'a BTreeMap<LinkName, LinkSettings>,
    /// How callbacks are authenticated.
    pub callback: Option<&'a CallbackSettings>,
    /// Where its logs are.
    pub logs: &'a LogSettings,
    /// Its processes, which are sampled while a load runs.
    pub resources: &'a ResourceSettings,
}

impl AccountSettings {
    pub(super) fn password(&self, redactor: &Redactor) -> Result<Secret, SecretError> {
        self.password.resolve(&self.password_key(), redactor)
    }

    fn password_key(&self) -> String {
        format!("identity.login.accounts, password of {}", self.email)
    }
}

impl IdentitySettings {
    /// What is wrong with it, if anything is.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let methods = [
            self.mint.is_some(),
            !self.tokens.is_empty(),
            self.login.is_some(),
        ];
        if methods.into_iter().filter(|given| *given).count() != 1 {
            return Some(
                "must have exactly one of mint, tokens and login: how test tenants authenticate",
            );
        }
        let accounts = self.login.as_ref().map(|login| login.accounts.len());
        if self.mint.is_none() && accounts.unwrap_or(self.tokens.len()) < 2 {
            return Some("must have at least two accounts: one cannot show tenant isolation");
        }
        let accounts = self.login.iter().flat_map(|login| &login.accounts);
        let mut emails = BTreeSet::new();
        if accounts
            .map(|account| account.email.to_lowercase())
            .any(|email| !emails.insert(email))
        {
            return Some("must not contain an account of [identity.login] twice");
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
    /// Resolves the secrets. Opens no connection.
    ///
    /// # Errors
    /// Where a secret cannot be resolved.
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
            identification: Box::new(self.identification.clone()),
            callback_token,
            tokens: self.identity.token_source(redactor)?,
            database,
            storage,
            standins: self.standins.map(StandinAddresses::endpoints),
            logs: self.logs.from_now(),
            resources: self.resources.sources.clone(),
        })
    }

    /// Why each secret that cannot be resolved cannot, with its key.
    pub fn unresolvable_secrets(&self, redactor: &Redactor) -> Vec<SecretError> {
        let sources = self.secret_sources().into_iter();
        let resolved = sources.map(|(key, source)| source.resolve(&key, redactor));
        resolved.filter_map(Result::err).collect()
    }

    /// Every secret with its key.
    fn secret_sources(&self) -> Vec<(String, &SecretSource)> {
        let mut sources = Vec::new();
        let mut add = |key: &str, source| sources.push((key.to_owned(), source));
        if let Some(mint) = &self.identity.mint {
            add("identity.mint.secret", &mint.secret);
        }
        for (index, token) in self.identity.tokens.iter().enumerate() {
            add(&format!("identity.tokens[{index}]"), token);
        }
        if let Some(login) = &self.identity.login {
            add("identity.login.anon_key", &login.anon_key);
            for account in &login.accounts {
                add(&account.password_key(), &account.password);
            }
        }
        if let Some(database) = self.database {
            add("database.url", &database.url);
        }
        if let Some(storage) = self.storage {
            add("storage.service_role_key", &storage.service_role_key);
        }
        if let Some(callback) = self.callback {
            add("callback.token", &callback.token);
        }
        sources
    }

    /// Every host that a run would contact.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let upstreams = self.links.values().filter_map(LinkSettings::upstream_host);
        let origins = self.origins().filter_map(|(_, url)| url.host_str());
        origins.chain(upstreams)
    }

    /// Every HTTP origin that a run would contact, the API first, each with its role.
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
