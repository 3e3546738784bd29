//! Services as containers: their images, environments and published ports.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::postgres_server::EPHEMERAL_SETTINGS;
use super::running_database::RunningDatabase;
use crate::address::local;
use crate::containers::{Container, ContainerError, Network};
use crate::credentials::{
    APP_DATABASE_PASSWORD, APP_DATABASE_URL, Credentials, DATABASE_PASSWORD, DATABASE_URL,
    INTERNAL_DATABASE_URL,
};
use crate::launch::{LaunchSpec, OneShotOutcome};
use crate::readiness::Readiness;
use crate::services::{OneShot, Service, ServiceRuntime, ServiceSpec};
use crate::spec::ServiceTemplate;
use crate::stack_dir::StackDir;
use crate::stack_error::StackError;
use crate::system::Environment;
use cutover_evidence::secret::Secret;

/// PostgreSQL's port in its container.
const POSTGRES_PORT: u16 = 5432;

/// The port on which the API and the workers listen, each in its own container.
pub(super) const PIPELINE_PORT: u16 = 8000;

/// The data directory of the official images; a volume, so that it survives a restart of the container.
const DATA_DIR: &str = "/var/lib/postgresql/data";

/// The environment of the official images.
///
/// MD5 auth: SCRAM is slow in debug builds, and this network is private.
const IMAGE_ENV: [(&str, &str); 3] = [
    ("PGDATA", DATA_DIR),
    ("POSTGRES_HOST_AUTH_METHOD", "md5"),
    (
        "POSTGRES_INITDB_ARGS",
        "--auth-host=md5 --encoding=UTF8 --locale=C --no-sync",
    ),
];

/// Starts PostgreSQL and publishes it on a port of this machine.
pub(super) async fn start_database(
    network: &Arc<Network>,
    stack_dir: &Arc<StackDir>,
    port: u16,
    app_role: &str,
) -> Result<RunningDatabase, StackError> {
    let password = Secret::random();
    let spec = postgres_spec(network, port, &password);
    let service = Service::new(spec, Arc::clone(stack_dir))?;
    service.start().await?;
    let url = |role: &str, password: &Secret, host: &str| {
        let password = password.expose();
        Secret::new(format!("postgres://{role}:{password}@{host}/postgres"))
    };
    let internal = format!("postgres:{POSTGRES_PORT}");
    let published = local(port).to_string();
    let app_password = Secret::random();
    Ok(RunningDatabase {
        service,
        credentials: Credentials::from([
            (DATABASE_URL, url("postgres", &password, &published)),
            (INTERNAL_DATABASE_URL, url("postgres", &password, &internal)),
            (DATABASE_PASSWORD, password),
            (APP_DATABASE_URL, url(app_role, &app_password, &internal)),
            (APP_DATABASE_PASSWORD, app_password),
        ]),
    })
}

fn postgres_spec(network: &Arc<Network>, port: u16, password: &Secret) -> ServiceSpec {
    let mut environment: BTreeMap<_, _> = IMAGE_ENV
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    environment.insert("POSTGRES_PASSWORD".to_owned(), password.expose().to_owned());
    let settings = EPHEMERAL_SETTINGS
        .into_iter()
        .chain(["password_encryption=md5"]);
    ServiceSpec {
        launch: LaunchSpec {
            name: "postgres".to_owned(),
            args: settings
                .flat_map(|setting| ["-c".into(), setting.into()])
                .collect(),
            environment,
            stop_signal: Signal::INT,
        },
        readiness: Readiness::Database(local(port)),
        runtime: ServiceRuntime::Container(Box::new(
            Container::new(network, &network.images.postgres)
                .publishing(port, POSTGRES_PORT)
                .with_volume(DATA_DIR),
        )),
    }
}

/// The description of a service of the pipeline that is published at an address of this machine.
pub(super) fn service_spec(
    network: &Arc<Network>,
    template: &ServiceTemplate,
    name: String,
    environment: Environment,
    address: SocketAddr,
) -> ServiceSpec {
    ServiceSpec {
        launch: LaunchSpec {
            name,
            args: vec![template.subcommand.into()],
            environment,
            stop_signal: Signal::TERM,
        },
        readiness: Readiness::Health(address),
        runtime: ServiceRuntime::Container(Box::new(
            Container::new(network, &network.images.pipeline)
                .publishing(address.port(), PIPELINE_PORT),
        )),
    }
}

/// Runs a command of the pipeline in a container of its own.
pub(super) async fn run_one_shot(
    network: &Arc<Network>,
    one_shot: &OneShot<'_>,
) -> Result<OneShotOutcome, ContainerError> {
    let container = Container::new(network, &network.images.pipeline);
    let launch = LaunchSpec {
        name: one_shot.name.to_owned(),
        args: one_shot.args.iter().map(OsString::from).collect(),
        environment: one_shot.environment.clone(),
        stop_signal: Signal::TERM,
    };
    container.run_to_completion(launch, one_shot.timeout).await
}
