//! Who is told what: the environment and the standard input of a stack's processes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use url::Url;

use super::card::{DatabaseCard, SupabaseCard};
use super::keys::Keys;
use super::process::{Body, Child, Recipe};
use super::readiness::Readiness;
use super::spec::{CommandLine, StackSpec, apply};
use crate::secret::Secret;
use crate::standin::{StandinCard, StandinSettings};

/// The stand-ins, by the names under which they take fixed ports.
pub(crate) const STANDINS: [&str; 4] = ["parser", "embedder", "supabase", "control"];

/// For whom the tokens of the project are.
const AUDIENCE: &str = "authenticated";

/// An address of this machine.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The origin of an address.
pub(crate) fn origin(address: SocketAddr) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://{address}/"))
}

/// A base address as programs want it, to put a path behind.
fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// The Supabase project of a stack.
pub(crate) fn supabase(standins: &StandinCard, keys: &Keys) -> SupabaseCard {
    SupabaseCard {
        url: standins.supabase.clone(),
        anon_key: keys.anon.clone(),
        service_role_key: keys.service_role.clone(),
        jwt_secret: keys.jwt_secret.clone(),
        issuer: format!("{}/auth/v1", base(&standins.supabase)),
        audience: AUDIENCE.to_owned(),
    }
}

/// What the stand-ins are started with.
pub(crate) fn standin_settings(
    spec: &StackSpec,
    keys: &Keys,
    bind: IpAddr,
    ports: BTreeMap<String, u16>,
    storage_dir: PathBuf,
) -> StandinSettings {
    let text = |secret: &Secret| secret.expose().to_owned();
    StandinSettings {
        bind,
        ports,
        parser_key: text(&keys.parser),
        embedder_key: text(&keys.embedder),
        anon_key: text(&keys.anon),
        service_role_key: text(&keys.service_role),
        jwt_secret: text(&keys.jwt_secret),
        storage_dir,
        buckets: spec.buckets.clone(),
        dimensions: spec.settings.embed_dimensions,
        max_batch: spec.settings.embed_batch,
        upload_url_ttl_ms: u64::try_from(spec.settings.upload_url_ttl.as_millis())
            .unwrap_or(u64::MAX),
        users: Vec::new(),
        callback: spec.settings.callback.clone(),
        callback_token: Some(text(&keys.callback)),
        defect: spec.standin_defect.clone(),
    }
}

/// The environment of everything that the pipeline runs, before its own address is added.
pub(crate) fn pipeline_environment(
    spec: &StackSpec,
    keys: &Keys,
    database: &DatabaseCard,
    standins: &StandinCard,
    callback_base: &Url,
) -> BTreeMap<String, String> {
    let supabase = supabase(standins, keys);
    let text = |secret: &Secret| secret.expose().to_owned();
    let mut environment = spec.settings.environment();
    environment.extend(
        [
            ("DATABASE_URL", text(&database.app_url)),
            ("SUPABASE_URL", base(&supabase.url)),
            ("SUPABASE_ANON_KEY", text(&supabase.anon_key)),
            (
                "SUPABASE_SERVICE_ROLE_KEY",
                text(&supabase.service_role_key),
            ),
            ("SUPABASE_JWT_SECRET", text(&supabase.jwt_secret)),
            ("JWT_ISSUER", supabase.issuer),
            ("JWT_AUDIENCE", supabase.audience),
            ("LLAMAPARSE_BASE_URL", base(&standins.parser)),
            ("LLAMAPARSE_API_KEY", text(&keys.parser)),
            ("OPENAI_API_URL", base(&standins.embedder)),
            ("OPENAI_API_KEY", text(&keys.embedder)),
            ("CALLBACK_STATIC_SECRET", text(&keys.callback)),
            ("WEBHOOK_BASE_URL", base(callback_base)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    deviate(&mut environment, spec);
    environment
}

/// The environment of the migration, the only one that is given the owner's address.
pub(crate) fn migration_environment(
    spec: &StackSpec,
    keys: &Keys,
    owner_url: &Secret,
) -> BTreeMap<String, String> {
    let mut environment = spec.settings.environment();
    for (name, secret) in [
        ("MIGRATION_DATABASE_URL", owner_url),
        ("APP_DATABASE_PASSWORD", &keys.app_password),
    ] {
        environment.insert(name.to_owned(), secret.expose().to_owned());
    }
    deviate(&mut environment, spec);
    environment
}

/// Where this pipeline differs from a sound one.
fn deviate(environment: &mut BTreeMap<String, String>, spec: &StackSpec) {
    if let Some(defect) = &spec.pipeline_defect {
        environment.insert("CUTOVER_DEFECT".to_owned(), defect.clone());
    }
    apply(environment, &spec.environment_overrides);
}

/// A long-running part of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Api,
    Worker,
}

impl Part {
    /// The subcommand of the pipeline that runs it.
    pub(crate) fn subcommand(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    /// The variable that says where it listens.
    pub(crate) fn address_variable(self) -> &'static str {
        match self {
            Self::Api => "API_ADDR",
            Self::Worker => "WORKER_ADDR",
        }
    }
}

/// How to run the stand-ins with the settings in a file.
pub(crate) fn standin_recipe(standins: &CommandLine, settings: PathBuf) -> Recipe {
    Recipe {
        name: "standins".to_owned(),
        args: standins.args.clone(),
        environment: BTreeMap::new(),
        readiness: Readiness::Card,
        graceful: Signal::TERM,
        body: Body::Child(Child {
            input: Some(settings),
            ..Child::of(&standins.program)
        }),
    }
}

/// How long a pipeline process gets to end: what it was promised, and a little for the machine.
pub(crate) fn grace(spec: &StackSpec) -> Duration {
    spec.settings.shutdown_grace + Duration::from_secs(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::CallbackAuth;

    fn standins() -> StandinCard {
        let url = |port| origin(local(port)).expect("a URL");
        StandinCard {
            parser: url(1),
            embedder: url(2),
            supabase: url(3),
            control: url(4),
        }
    }

    fn database() -> DatabaseCard {
        DatabaseCard {
            url: Secret::new("postgres://owner"),
            password: Secret::new("owner-password"),
            app_url: Secret::new("postgres://app"),
            app_password: Secret::new("app-password"),
        }
    }

    #[test]
    fn the_standins_have_the_buckets_and_the_callbacks_of_the_contract() {
        let mut spec = StackSpec::new("/bin/cutover");
        spec.buckets = vec!["raw".to_owned(), "texts".to_owned()];
        spec.settings.callback.auth = CallbackAuth::Both;
        let keys = Keys::generate().expect("keys");
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let settings = standin_settings(&spec, &keys, here, BTreeMap::new(), "/tmp".into());
        assert_eq!(settings.buckets, ["raw", "texts"]);
        assert_eq!(settings.callback, spec.settings.callback);
        assert_eq!(
            settings.callback_token.as_deref(),
            Some(keys.callback.expose())
        );
    }

    #[test]
    fn the_pipeline_is_told_everything_but_the_owners_address() {
        let spec = StackSpec {
            pipeline_defect: Some("I-001".to_owned()),
            environment_overrides: [("OPENAI_API_KEY".to_owned(), None)].into(),
            ..StackSpec::new("/bin/cutover")
        };
        let keys = Keys::generate().expect("keys");
        let api = origin(local(5)).expect("a URL");
        let environment = pipeline_environment(&spec, &keys, &database(), &standins(), &api);
        assert_eq!(environment["DATABASE_URL"], "postgres://app");
        assert_eq!(environment["JWT_ISSUER"], "http://127.0.0.1:3/auth/v1");
        assert_eq!(environment["WEBHOOK_BASE_URL"], "http://127.0.0.1:5");
        assert_eq!(environment["CUTOVER_DEFECT"], "I-001");
        assert!(!environment.contains_key("OPENAI_API_KEY"));
        assert!(!environment.values().any(|value| value.contains("owner")));

        let migration = migration_environment(&spec, &keys, &database().url);
        assert_eq!(migration["MIGRATION_DATABASE_URL"], "postgres://owner");
        assert!(!migration.contains_key("DATABASE_URL"));
    }
}
