//! The `[standins]` table of a target file: the addresses of the stand-ins, and the settings to run them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::attached::{CallbackSettings, LoginSettings};
use super::file::Target;
use super::load::TargetError;
use super::secret_source::{SecretError, SecretSource};
use cutover_contract::contract::Contract;
use cutover_contract::standin::{StandinEndpoints, StandinSettings, StandinUser};
use cutover_evidence::redact::Redactor;

/// The addresses of the stand-ins that replace the target's providers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandinAddresses {
    /// LlamaParse.
    pub parser: Url,
    /// OpenAI.
    pub embedder: Url,
    /// Supabase: storage and identity provider.
    pub supabase: Url,
    /// Their control API, which programs them.
    pub control: Url,
    /// The keys that they accept. With these, cutover runs the stand-ins where they do not run already.
    pub keys: Option<StandinKeys>,
}

/// The keys that the stand-ins accept. The pipeline must be started with the same keys.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandinKeys {
    /// The key of LlamaParse.
    pub parser: SecretSource,
    /// The key of OpenAI.
    pub embedder: SecretSource,
    /// The public key of the Supabase project. Default: that of `[identity.login]`.
    pub anon: Option<SecretSource>,
    /// The service role key of the project. Default: that of `[storage]`.
    pub service_role: Option<SecretSource>,
    /// The HS256 secret of the project's tokens. Default: that of `[identity.mint]`.
    pub jwt_secret: Option<SecretSource>,
}

/// The sources of the keys that the stand-ins accept, with defaults applied.
#[derive(Clone, Copy, Debug)]
pub struct StandinKeySources<'a> {
    /// The key of LlamaParse.
    pub parser: &'a SecretSource,
    /// The key of OpenAI.
    pub embedder: &'a SecretSource,
    /// The public key of the Supabase project.
    pub anon: &'a SecretSource,
    /// The service role key of the project.
    pub service_role: &'a SecretSource,
    /// The HS256 secret of the project's tokens.
    pub jwt_secret: &'a SecretSource,
}

/// What cutover needs to run the stand-ins of a target.
#[derive(Clone, Debug)]
pub struct StandinConfig<'a> {
    addresses: &'a StandinAddresses,
    bind: IpAddr,
    keys: StandinKeySources<'a>,
    callback: Option<&'a CallbackSettings>,
    login: Option<&'a LoginSettings>,
}

impl StandinAddresses {
    /// Their endpoints.
    pub fn endpoints(&self) -> StandinEndpoints {
        StandinEndpoints {
            parser: self.parser.clone(),
            embedder: self.embedder.clone(),
            supabase: self.supabase.clone(),
            control: self.control.clone(),
        }
    }

    /// The loopback address that all of them share, or the invalid key with its problem.
    fn bind(&self) -> Result<IpAddr, (&'static str, &'static str)> {
        let mut ports = BTreeSet::new();
        let mut bind = None;
        for (key, url) in [
            ("standins.parser", &self.parser),
            ("standins.embedder", &self.embedder),
            ("standins.supabase", &self.supabase),
            ("standins.control", &self.control),
        ] {
            let (true, Some(address)) = (is_origin(url), loopback(url)) else {
                return Err((
                    key,
                    "must be like http://127.0.0.1:4101: cutover runs stand-ins only on loopback addresses; leave out \
                     [standins.keys] where they run elsewhere",
                ));
            };
            if *bind.get_or_insert(address) != address {
                return Err((key, "must be on the same address as the other stand-ins"));
            }
            if !ports.insert(url.port()) {
                return Err((key, "must have a port of its own"));
            }
        }
        Ok(bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }
}

impl Target {
    /// What cutover needs to run the stand-ins of this target; nothing where `[standins.keys]` is missing.
    ///
    /// # Errors
    /// Where a key is missing, or an address is not a loopback address.
    pub fn standin_config<'a>(&'a self) -> Result<Option<StandinConfig<'a>>, TargetError> {
        let Some(addresses) = &self.standins else {
            return Ok(None);
        };
        let Some(keys) = &addresses.keys else {
            return Ok(None);
        };
        let login = self.identity.login.as_ref();
        let (storage, mint) = (self.storage.as_ref(), self.identity.mint.as_ref());
        let anon = keys.anon.as_ref().or(login.map(|login| &login.anon_key));
        let service_role = keys.service_role.as_ref();
        let service_role = service_role.or(storage.map(|storage| &storage.service_role_key));
        let jwt_secret = keys.jwt_secret.as_ref().or(mint.map(|mint| &mint.secret));
        let required = |source: Option<&'a SecretSource>, key, problem| {
            source.ok_or((key, problem)).map_err(|it| self.invalid(it))
        };
        Ok(Some(StandinConfig {
            addresses,
            bind: addresses.bind().map_err(|it| self.invalid(it))?,
            keys: StandinKeySources {
                parser: &keys.parser,
                embedder: &keys.embedder,
                anon: required(
                    anon,
                    "standins.keys.anon",
                    "is missing: the public key of the project, such as { env = \"SUPABASE_ANON_KEY\" }",
                )?,
                service_role: required(
                    service_role,
                    "standins.keys.service_role",
                    "is missing, and [storage] has none; add one such as { env = \"SUPABASE_SERVICE_ROLE_KEY\" }",
                )?,
                jwt_secret: required(
                    jwt_secret,
                    "standins.keys.jwt_secret",
                    "is missing, and [identity.mint] has none; add one such as { env = \"SUPABASE_JWT_SECRET\" }",
                )?,
            },
            callback: self.callback.as_ref(),
            login: login.filter(|login| is_same_origin(&login.supabase_url, &addresses.supabase)),
        }))
    }

    fn invalid(&self, (key, problem): (&'static str, &str)) -> TargetError {
        TargetError::Invalid {
            origin: self.origin.clone(),
            key,
            problem: problem.to_owned(),
        }
    }
}

impl StandinConfig<'_> {
    /// Their endpoints.
    pub fn endpoints(&self) -> StandinEndpoints {
        self.addresses.endpoints()
    }

    /// The sources of the keys that they accept.
    pub fn keys(&self) -> StandinKeySources<'_> {
        self.keys
    }

    /// The loopback address that they listen on.
    pub fn bind(&self) -> IpAddr {
        self.bind
    }

    /// Their settings: addresses and keys from the target, sizes and times from the contract.
    pub fn settings(
        &self,
        contract: &Contract,
        storage_dir: PathBuf,
        redactor: &Redactor,
    ) -> Result<StandinSettings, SecretError> {
        let resolve = |source: &SecretSource, key: &str| {
            Ok::<_, SecretError>(source.resolve(key, redactor)?.expose().to_owned())
        };
        let ports = [
            ("parser", &self.addresses.parser),
            ("embedder", &self.addresses.embedder),
            ("supabase", &self.addresses.supabase),
            ("control", &self.addresses.control),
        ];
        Ok(StandinSettings {
            bind: self.bind,
            ports: ports
                .into_iter()
                .filter_map(|(name, url)| Some((name.to_owned(), url.port_or_known_default()?)))
                .collect(),
            parser_key: resolve(self.keys.parser, "standins.keys.parser")?,
            embedder_key: resolve(self.keys.embedder, "standins.keys.embedder")?,
            anon_key: resolve(self.keys.anon, "standins.keys.anon")?,
            service_role_key: resolve(self.keys.service_role, "standins.keys.service_role")?,
            jwt_secret: resolve(self.keys.jwt_secret, "standins.keys.jwt_secret")?,
            storage_dir,
            buckets: contract.buckets().into_iter().collect(),
            dimensions: contract.embedder.dimensions,
            max_batch: contract.embedder.max_batch,
            models: contract.embedder.models(),
            upload_url_ttl_ms: u64::try_from(contract.limits.url_ttl.as_millis())
                .unwrap_or(u64::MAX),
            users: self.users(redactor)?,
            callback: contract.callback.clone(),
            callback_token: self
                .callback
                .map(|callback| resolve(&callback.token, "callback.token"))
                .transpose()?,
            defect: None,
        })
    }

    /// The accounts of the stand-in's identity provider: those of `[identity.login]`, if they log in there.
    fn users(&self, redactor: &Redactor) -> Result<Vec<StandinUser>, SecretError> {
        let accounts = self.login.map_or(&[][..], |login| &login.accounts);
        let user = |account: &super::AccountSettings| {
            Ok(StandinUser {
                email: account.email.clone(),
                password: account.password(redactor)?.expose().to_owned(),
            })
        };
        accounts.iter().map(user).collect()
    }
}

fn is_origin(url: &Url) -> bool {
    url.scheme() == "http" && url.port_or_known_default().is_some() && url.path() == "/"
}

/// The loopback address that a URL names.
fn loopback(url: &Url) -> Option<IpAddr> {
    let address = match url.host()? {
        Host::Domain("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Domain(_) => return None,
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    address.is_loopback().then_some(address)
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    let is_same_host = one.host() == other.host()
        || matches!((loopback(one), loopback(other)), (Some(one), Some(other)) if one == other);
    is_same_host && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "schema = 1\nname = \"t\"\nclass = \"local\"\n[api]\nurl = \"http://127.0.0.1:1\"\n\
         [identity.mint]\nsecret = { env = \"PATH\" }\nissuer = \"i\"\n\
         [standins]\nparser = \"http://localhost:4101\"\nembedder = \"http://127.0.0.1:4102\"\n\
         supabase = \"http://127.0.0.1:4103\"\ncontrol = \"http://127.0.0.1:4104\"\n";
    const KEYS: &str = "[standins.keys]\nparser = { env = \"PATH\" }\nembedder = { env = \"PATH\" }\n\
         anon = { env = \"PATH\" }\nservice_role = { env = \"PATH\" }\n";

    fn refused(text: &str) -> String {
        Target::parse(text, "t.toml").unwrap_err().to_string()
    }

    #[test]
    fn cutover_runs_stand_ins_only_with_keys() {
        let target = Target::parse(TARGET, "t.toml").unwrap();
        assert!(target.standin_config().unwrap().is_none());
        let target = Target::parse(&format!("{TARGET}{KEYS}"), "t.toml").unwrap();
        let config = target.standin_config().unwrap().unwrap();
        let default = SecretSource::Variable("PATH".to_owned());
        assert_eq!(*config.keys().jwt_secret, default);
    }

    #[test]
    fn a_missing_key_is_named() {
        let text = format!("{TARGET}{KEYS}");
        let without = text.replace("service_role = { env = \"PATH\" }\n", "");
        assert!(refused(&without).contains("t.toml: key 'standins.keys.service_role' is missing"));
        let without = text.replace("anon = { env = \"PATH\" }\n", "");
        assert!(refused(&without).contains("key 'standins.keys.anon' is missing"));
    }

    #[test]
    fn stand_ins_listen_on_loopback_each_on_a_port_of_its_own() {
        let text = format!("{TARGET}{KEYS}");
        for (valid, invalid, problem) in [
            (
                "http://127.0.0.1:4104",
                "http://0.0.0.0:4104",
                "'standins.control' must be like",
            ),
            (
                "http://127.0.0.1:4102",
                "http://example.org:4102",
                "'standins.embedder' must be like",
            ),
            (
                "http://127.0.0.1:4102",
                "https://127.0.0.1:4102",
                "'standins.embedder' must be like",
            ),
            (
                "http://127.0.0.1:4103",
                "http://127.0.0.2:4103",
                "'standins.supabase' must be on the same",
            ),
            (
                "http://127.0.0.1:4104",
                "http://127.0.0.1:4103",
                "'standins.control' must have a port",
            ),
        ] {
            let message = refused(&text.replace(valid, invalid));
            assert!(message.contains(problem), "{message}");
        }
        let elsewhere = TARGET.replace("http://127.0.0.1:4104", "http://example.org:4104");
        assert!(
            Target::parse(&elsewhere, "t.toml").is_ok(),
            "stand-ins that cutover does not run may be anywhere"
        );
    }
}
