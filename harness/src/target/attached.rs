//! A target that somebody else runs: where it is, how to get in, and what we may do there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::links::LinkSettings;
use super::secret_source::{SecretError, SecretSource};
use super::standins::StandinAddresses;
use crate::doors::{Doors, IdentityDoor, StorageDoor};
use crate::fault::LinkName;
use crate::secret::Secret;

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
pub(crate) struct Attachment<'a> {
    pub(crate) api: &'a ApiSettings,
    pub(crate) identity: &'a IdentitySettings,
    pub(crate) database: Option<&'a DatabaseSettings>,
    pub(crate) storage: Option<&'a StorageSettings>,
    pub(crate) standins: Option<&'a StandinAddresses>,
    pub(crate) links: &'a BTreeMap<LinkName, LinkSettings>,
    pub(crate) callback: Option<&'a CallbackSettings>,
}

impl AccountSettings {
    pub(super) fn password(&self) -> Result<Secret, SecretError> {
        let key = format!("identity.login.accounts, password of {}", self.email);
        self.password.resolve(&key)
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

    fn door(&self) -> Result<IdentityDoor, SecretError> {
        if let Some(mint) = &self.mint {
            return Ok(IdentityDoor::Minted {
                secret: mint.secret.resolve("identity.mint.secret")?,
                issuer: mint.issuer.clone(),
                audience: mint.audience.clone(),
            });
        }
        if let Some(login) = &self.login {
            let account =
                |account: &AccountSettings| Ok((account.email.clone(), account.password()?));
            return Ok(IdentityDoor::Login {
                supabase: login.supabase_url.clone(),
                anon_key: login.anon_key.resolve("identity.login.anon_key")?,
                accounts: login
                    .accounts
                    .iter()
                    .map(account)
                    .collect::<Result<_, _>>()?,
            });
        }
        let tokens = self.tokens.iter().enumerate();
        let tokens =
            tokens.map(|(index, token)| token.resolve(&format!("identity.tokens[{index}]")));
        Ok(IdentityDoor::Given(tokens.collect::<Result<_, _>>()?))
    }
}

impl Attachment<'_> {
    /// Fetches the secrets; connects to nothing.
    pub(crate) fn doors(&self) -> Result<Doors, SecretError> {
        let database = self
            .database
            .map(|database| database.url.resolve("database.url"))
            .transpose()?;
        let storage = self
            .storage
            .map(|storage| {
                Ok(StorageDoor {
                    supabase: storage.supabase_url.clone(),
                    service_key: storage
                        .service_role_key
                        .resolve("storage.service_role_key")?,
                })
            })
            .transpose()?;
        let callback_token = self
            .callback
            .map(|callback| callback.token.resolve("callback.token"))
            .transpose()?;
        let identity = self.identity.door()?;
        let mut secrets = secrets(&identity, database.as_ref(), storage.as_ref());
        let token = callback_token.clone();
        secrets.extend(token.map(|token| ("the static secret of callbacks", token)));
        Ok(Doors {
            api: self.api.url.clone(),
            secrets,
            callback_token,
            identity,
            database,
            storage,
            standins: self.standins.map(StandinAddresses::card),
            processes: Vec::new(),
        })
    }

    /// Every host that a run would talk to.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        let behind = self.links.values().filter_map(LinkSettings::upstream_host);
        let named = self.origins().filter_map(|(_, url)| url.host_str());
        named.chain(behind)
    }

    /// Where a run would talk HTTP to somebody, the API first, each with what it is there for.
    pub(crate) fn origins(&self) -> impl Iterator<Item = (&'static str, &Url)> {
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

fn secrets(
    identity: &IdentityDoor,
    database: Option<&Secret>,
    storage: Option<&StorageDoor>,
) -> Vec<(&'static str, Secret)> {
    let mut secrets = Vec::new();
    secrets.extend(database.map(|url| ("the database address", url.clone())));
    secrets.extend(storage.map(|door| ("the service role key", door.service_key.clone())));
    match identity {
        IdentityDoor::Minted { secret, .. } => {
            secrets.push(("the secret of access tokens", secret.clone()));
        }
        IdentityDoor::Given(tokens) => {
            secrets.extend(
                tokens
                    .iter()
                    .map(|token| ("an access token", token.clone())),
            );
        }
        IdentityDoor::Login {
            anon_key, accounts, ..
        } => {
            secrets.push(("the public key of the project", anon_key.clone()));
            let passwords = accounts.iter().map(|(_, password)| password.clone());
            secrets.extend(passwords.map(|password| ("the password of an account", password)));
        }
    }
    secrets
}
