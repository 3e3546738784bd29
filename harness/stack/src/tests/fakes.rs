//! Fake services: this test program runs one of its ignored tests as the pipeline or the stand-ins.
//!
//! Such a test returns at once unless its environment or its input configures it as a service.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cutover_evidence::secret::Secret;
use serde_json::{Value, json};

use crate::address::{local, origin};
use crate::credentials::{APP_DATABASE_URL, Credentials, INTERNAL_DATABASE_URL};
use crate::{
    CommandLine, Endpoints, Environment, Images, Overrides, ServiceTemplate, ServiceView, Stack,
    StackKind, StackSpec, StandinPlacement, System, SystemError, apply,
};

/// The names of the stand-ins.
const STANDINS: [&str; 2] = ["parser", "control"];

/// Configures the services with the database URL and the overrides of a test.
#[derive(Debug, Default)]
pub(super) struct FakeSystem {
    pub(super) overrides: Overrides,
}

impl System for FakeSystem {
    fn credentials(&self) -> Result<Credentials, SystemError> {
        Ok(Credentials::from([("key of the parser", Secret::random())]))
    }

    fn standin_settings(
        &self,
        _credentials: &Credentials,
        placement: StandinPlacement,
    ) -> Result<Value, SystemError> {
        Ok(json!(placement.ports))
    }

    fn migration_environment(&self, credentials: &Credentials) -> Result<Environment, SystemError> {
        let url = credentials.get(INTERNAL_DATABASE_URL)?.expose().to_owned();
        let mut environment = Environment::from([("MIGRATION_DATABASE_URL".to_owned(), url)]);
        apply(&mut environment, &self.overrides);
        Ok(environment)
    }

    fn service_environment(&self, service: &ServiceView<'_>) -> Result<Environment, SystemError> {
        let url = service
            .credentials
            .get(APP_DATABASE_URL)?
            .expose()
            .to_owned();
        let mut environment = Environment::from([("DATABASE_URL".to_owned(), url)]);
        apply(&mut environment, &self.overrides);
        Ok(environment)
    }
}

/// The variable with the root directory for the stack of [`owner`].
pub(super) const ROOT: &str = "CUTOVER_TEST_ROOT";

/// The command line that runs an ignored test of this program.
pub(super) fn fake(name: &str) -> CommandLine {
    let test = format!("tests::fakes::{name}");
    // The link leads to the running program even after a build has replaced the file.
    let link = PathBuf::from("/proc/self/exe");
    let program = if link.exists() {
        link
    } else {
        env::current_exe().expect("this program")
    };
    CommandLine::new(program, &["--ignored", "--nocapture", "--exact", &test])
}

/// A stack of fake services.
pub(super) fn spec(root: &Path) -> StackSpec {
    with_system(root, FakeSystem::default())
}

/// A stack of fake services with this configuration.
pub(super) fn with_system(root: &Path, system: FakeSystem) -> StackSpec {
    StackSpec {
        kind: StackKind::Processes,
        images: Images::default(),
        pipeline: fake("pipeline"),
        api: ServiceTemplate {
            subcommand: "api",
            address_variable: "API_ADDR",
        },
        worker: ServiceTemplate {
            subcommand: "worker",
            address_variable: "WORKER_ADDR",
        },
        migration: "migrate",
        app_role: "app",
        standins: fake("standins"),
        standin_names: &STANDINS,
        links: &[],
        workers: 1,
        shutdown_timeout: Duration::from_secs(5),
        system: Arc::new(system),
        root: root.to_owned(),
    }
}

/// A directory for stacks.
pub(super) fn root() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;

    let root = tempfile::tempdir().expect("a directory");
    // Under root, PostgreSQL runs as another user.
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o711))
        .expect("permissions");
    root
}

/// Answers every request with 200 until it is killed.
fn serve(address: SocketAddr) {
    let listener = TcpListener::bind(address).expect("bind");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}

#[test]
#[ignore = "a fake service, not a test"]
fn pipeline() {
    if env::var_os("FAKE_FAILURE").is_some() {
        eprintln!("DATABASE_URL is not set");
        panic!("FAKE_FAILURE is set");
    }
    let address = ["API_ADDR", "WORKER_ADDR"]
        .into_iter()
        .find_map(|name| env::var(name).ok());
    if let Some(address) = address {
        serve(address.parse().expect("an address"));
    }
}

#[test]
#[ignore = "a fake service, not a test"]
fn standins() {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .expect("settings");
    let Ok(placement) = serde_json::from_str::<Value>(&text) else {
        return;
    };
    let port = |name: &str| u16::try_from(placement[name].as_u64().expect("a port")).expect("u16");
    let endpoints: Endpoints = STANDINS
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                origin(local(port(name))).expect("a URL"),
            )
        })
        .collect();
    println!("\n{}", serde_json::to_string(&endpoints).expect("JSON"));
    serve(local(port("control")));
}

#[tokio::test]
#[ignore = "the owner of a stack in another test, not a test"]
async fn owner() {
    let Some(root) = env::var_os(ROOT).map(PathBuf::from) else {
        return;
    };
    let _stack = Stack::start(&spec(&root)).await.expect("a stack");
    std::fs::write(root.join("started"), "").expect("a marker file");
    std::future::pending::<()>().await;
}
