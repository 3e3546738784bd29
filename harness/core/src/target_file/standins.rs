//! The stand-ins in the place of a target's providers: where they are, and what they are told where cutover serves them.

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

/// The stand-ins that the target has in the place of its providers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandinAddresses {
    /// LlamaParse.
    pub parser: Url,
    /// OpenAI.
    pub embedder: Url,
    /// Supabase: storage and identity.
    pub supabase: Url,
    /// Where they are programmed.
    pub control: Url,
    /// The keys that they accept. With these, cutover serves them itself where nobody does.
    pub keys: Option<StandinKeys>,
}

/// The keys that the stand-ins accept: those that the pipeline is started with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandinKeys {
    /// The key of LlamaParse.
    pub parser: SecretSource,
    /// The key of OpenAI.
    pub embedder: SecretSource,
    /// The public key of the Supabase project; that of `[identity.login]` unless it is given.
    pub anon: Option<SecretSource>,
    /// The secret key of the project; that of `[storage]` unless it is given.
    pub service_role: Option<SecretSource>,
    /// The HS256 secret of the project's tokens; that of `[identity.mint]` unless it is given.
    pub jwt_secret: Option<SecretSource>,
}

/// Stand-ins that cutover can serve: every source that it needs is known.
#[derive(Clone, Debug)]
pub struct Serving<'a> {
    at: &'a StandinAddresses,
    bind: IpAddr,
    keys: &'a StandinKeys,
    anon: &'a SecretSource,
    service_role: &'a SecretSource,
    jwt_secret: &'a SecretSource,
    callback: Option<&'a CallbackSettings>,
    login: Option<&'a LoginSettings>,
}

/// What a variable of the pipeline is to hold.
#[derive(Clone, Debug)]
pub enum Held<'a> {
    /// This text.
    Text(String),
    /// What this source gives.
    Secret(&'a SecretSource),
}

impl StandinAddresses {
    /// Where they are.
    pub fn card(&self) -> StandinEndpoints {
        StandinEndpoints {
            parser: self.parser.clone(),
            embedder: self.embedder.clone(),
            supabase: self.supabase.clone(),
            control: self.control.clone(),
        }
    }

    /// The one address of this machine that all of them are to be served on, or the key that is wrong.
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
                    "must be like http://127.0.0.1:4101 for cutover to serve it: stand-ins are served to this machine \
                     alone; leave out [standins.keys] where others serve them",
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
    /// The stand-ins that cutover can serve for this target; none where it gives no keys for them.
    ///
    /// # Errors
    /// Where a key is given nowhere, or an address is not one of this machine.
    pub fn serving(&self) -> Result<Option<Serving<'_>>, TargetError> {
        let Some(at) = &self.standins else {
            return Ok(None);
        };
        let Some(keys) = &at.keys else {
            return Ok(None);
        };
        let invalid = |(key, problem): (&'static str, &str)| TargetError::Invalid {
            origin: self.origin.clone(),
            key,
            problem: problem.to_owned(),
        };
        let login = self.identity.login.as_ref();
        let (storage, mint) = (self.storage.as_ref(), self.identity.mint.as_ref());
        let anon = keys.anon.as_ref().or(login.map(|login| &login.anon_key));
        let service_role = keys.service_role.as_ref();
        let service_role = service_role.or(storage.map(|storage| &storage.service_role_key));
        let jwt_secret = keys.jwt_secret.as_ref().or(mint.map(|mint| &mint.secret));
        let bind = at.bind().map_err(invalid)?;
        Ok(Some(Serving {
            at,
            bind,
            keys,
            anon: anon.ok_or((
                "standins.keys.anon",
                "is missing: the public key of the project; say { env = \"SUPABASE_ANON_KEY\" }",
            ))
            .map_err(invalid)?,
            service_role: service_role
                .ok_or((
                    "standins.keys.service_role",
                    "is missing, and there is no [storage] to take it from; say { env = \"SUPABASE_SERVICE_ROLE_KEY\" }",
                ))
                .map_err(invalid)?,
            jwt_secret: jwt_secret
                .ok_or((
                    "standins.keys.jwt_secret",
                    "is missing, and there is no [identity.mint] to take it from; say { env = \"SUPABASE_JWT_SECRET\" }",
                ))
                .map_err(invalid)?,
            callback: self.callback.as_ref(),
            login: login.filter(|login| is_same_place(&login.supabase_url, &at.supabase)),
        }))
    }
}

impl Serving<'_> {
    /// Where they will be.
    pub fn card(&self) -> StandinEndpoints {
        self.at.card()
    }

    /// The address of this machine that they are served on.
    pub fn bind(&self) -> IpAddr {
        self.bind
    }

    /// What they are told: addresses and keys from the target, sizes and times from the contract.
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
            ("parser", &self.at.parser),
            ("embedder", &self.at.embedder),
            ("supabase", &self.at.supabase),
            ("control", &self.at.control),
        ];
        Ok(StandinSettings {
            bind: self.bind,
            ports: ports
                .into_iter()
                .filter_map(|(name, url)| Some((name.to_owned(), url.port_or_known_default()?)))
                .collect(),
            parser_key: resolve(&self.keys.parser, "standins.keys.parser")?,
            embedder_key: resolve(&self.keys.embedder, "standins.keys.embedder")?,
            anon_key: resolve(self.anon, "standins.keys.anon")?,
            service_role_key: resolve(self.service_role, "standins.keys.service_role")?,
            jwt_secret: resolve(self.jwt_secret, "standins.keys.jwt_secret")?,
            storage_dir,
            buckets: contract.buckets().into_iter().collect(),
            dimensions: contract.embedder.dimensions,
            max_batch: contract.embedder.max_batch,
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

    /// The accounts that log in at the stand-in exist there from the beginning.
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

    /// The variables with which the pipeline finds them, by the names that pipelines of this kind have for them.
    pub fn variables(&self) -> Vec<(&'static str, Held<'_>)> {
        let base = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let supabase = base(&self.at.supabase);
        vec![
            ("LLAMAPARSE_BASE_URL", Held::Text(base(&self.at.parser))),
            ("LLAMAPARSE_API_KEY", Held::Secret(&self.keys.parser)),
            ("OPENAI_API_URL", Held::Text(base(&self.at.embedder))),
            ("OPENAI_API_KEY", Held::Secret(&self.keys.embedder)),
            ("SUPABASE_URL", Held::Text(supabase.clone())),
            ("SUPABASE_ANON_KEY", Held::Secret(self.anon)),
            ("SUPABASE_SERVICE_ROLE_KEY", Held::Secret(self.service_role)),
            ("SUPABASE_JWT_SECRET", Held::Secret(self.jwt_secret)),
            ("JWT_ISSUER", Held::Text(format!("{supabase}/auth/v1"))),
        ]
    }
}

fn is_origin(url: &Url) -> bool {
    url.scheme() == "http" && url.port_or_known_default().is_some() && url.path() == "/"
}

/// The address of this machine that a URL names.
fn loopback(url: &Url) -> Option<IpAddr> {
    let address = match url.host()? {
        Host::Domain("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Domain(_) => return None,
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    address.is_loopback().then_some(address)
}

fn is_same_place(one: &Url, other: &Url) -> bool {
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
    fn with_keys_they_can_be_served_and_without_they_are_others() {
        let target = Target::parse(TARGET, "t.toml").unwrap();
        assert!(target.serving().unwrap().is_none());
        let target = Target::parse(&format!("{TARGET}{KEYS}"), "t.toml").unwrap();
        let serving = target.serving().unwrap().unwrap();
        let jwt = serving.variables().into_iter();
        let jwt = jwt.filter(|(name, _)| *name == "SUPABASE_JWT_SECRET");
        let jwt: Vec<_> = jwt.map(|(_, held)| held).collect();
        assert!(matches!(&jwt[..], [Held::Secret(SecretSource::Variable(name))] if name == "PATH"));
    }

    #[test]
    fn a_key_that_is_nowhere_is_named() {
        let text = format!("{TARGET}{KEYS}");
        let without = text.replace("service_role = { env = \"PATH\" }\n", "");
        assert!(refused(&without).contains("t.toml: key 'standins.keys.service_role' is missing"));
        let without = text.replace("anon = { env = \"PATH\" }\n", "");
        assert!(refused(&without).contains("key 'standins.keys.anon' is missing"));
    }

    #[test]
    fn they_are_served_to_this_machine_alone_each_on_a_port_of_its_own() {
        let text = format!("{TARGET}{KEYS}");
        for (was, is, word) in [
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
            let said = refused(&text.replace(was, is));
            assert!(said.contains(word), "{said}");
        }
        let elsewhere = TARGET.replace("http://127.0.0.1:4104", "http://example.org:4104");
        assert!(
            Target::parse(&elsewhere, "t.toml").is_ok(),
            "others may serve them anywhere"
        );
    }
}
