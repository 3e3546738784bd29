//! The parts of a stack as containers: which image, told what, published where.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::engine::{ContainerError, Network};
use super::vessel::Vessel;
use crate::address::local;
use crate::credentials::{
    APP_DATABASE_PASSWORD, APP_DATABASE_URL, Credentials, DATABASE_PASSWORD, DATABASE_URL,
    INTERNAL_DATABASE_URL,
};
use crate::ground::{Database, Trip};
use crate::postgres::THROW_AWAY;
use crate::process::{Body, OneShotOutcome, Process, Recipe};
use crate::readiness::Readiness;
use crate::site::StackDir;
use crate::spec::ServiceTemplate;
use crate::start::StackError;
use crate::system::Environment;
use cutover_evidence::secret::Secret;

/// PostgreSQL's own port.
const POSTGRES: u16 = 5432;

/// The port on which the API and the workers listen, each in its own container.
pub(crate) const PIPELINE: u16 = 8000;

/// Where the official images keep the cluster; it stays while a container is stopped and started.
const DATA: &str = "/var/lib/postgresql/data";

/// What the official images are told. A password that the client only has to hash once costs an unoptimised
/// one nothing, and on this network nobody listens.
const TOLD: [(&str, &str); 3] = [
    ("PGDATA", DATA),
    ("POSTGRES_HOST_AUTH_METHOD", "md5"),
    (
        "POSTGRES_INITDB_ARGS",
        "--auth-host=md5 --encoding=UTF8 --locale=C --no-sync",
    ),
];

impl Network {
    /// Starts PostgreSQL, and publishes it on a port of this machine.
    pub(crate) async fn database(
        self: &Arc<Self>,
        site: &Arc<StackDir>,
        port: u16,
        app_role: &str,
    ) -> Result<Database, StackError> {
        let password = Secret::random();
        let process = Process::new(self.postgres(port, &password), Arc::clone(site))?;
        process.start().await?;
        let url = |role: &str, password: &Secret, place: &str| {
            let password = password.expose();
            Secret::new(format!("postgres://{role}:{password}@{place}/postgres"))
        };
        let (inside, outside) = (format!("postgres:{POSTGRES}"), local(port).to_string());
        let app_password = Secret::random();
        Ok(Database {
            process,
            credentials: Credentials::from([
                (DATABASE_URL, url("postgres", &password, &outside)),
                (INTERNAL_DATABASE_URL, url("postgres", &password, &inside)),
                (DATABASE_PASSWORD, password),
                (APP_DATABASE_URL, url(app_role, &app_password, &inside)),
                (APP_DATABASE_PASSWORD, app_password),
            ]),
        })
    }

    fn postgres(self: &Arc<Self>, port: u16, password: &Secret) -> Recipe {
        let mut environment: BTreeMap<_, _> = TOLD
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        environment.insert("POSTGRES_PASSWORD".to_owned(), password.expose().to_owned());
        let settings = THROW_AWAY.into_iter().chain(["password_encryption=md5"]);
        Recipe {
            name: "postgres".to_owned(),
            args: settings
                .flat_map(|setting| ["-c".into(), setting.into()])
                .collect(),
            environment,
            readiness: Readiness::Database(local(port)),
            graceful: Signal::INT,
            body: Body::Container(Box::new(Vessel {
                published: Some((port, POSTGRES)),
                volume: Some(DATA),
                ..Vessel::of(self, &self.images.postgres)
            })),
        }
    }

    /// How to run a part of the pipeline, and publish it at an address of this machine.
    pub(crate) fn part(
        self: &Arc<Self>,
        part: &ServiceTemplate,
        name: String,
        environment: &Environment,
        address: SocketAddr,
    ) -> Recipe {
        let listens = SocketAddr::from(([0, 0, 0, 0], PIPELINE)).to_string();
        let own = (part.address_variable.to_owned(), listens);
        Recipe {
            name,
            args: vec![part.subcommand.into()],
            environment: environment.clone().into_iter().chain([own]).collect(),
            readiness: Readiness::Health(address),
            graceful: Signal::TERM,
            body: Body::Container(Box::new(Vessel {
                published: Some((address.port(), PIPELINE)),
                ..Vessel::of(self, &self.images.pipeline)
            })),
        }
    }

    /// Runs the pipeline's program beside the stack's parts.
    pub(crate) async fn trip(
        self: &Arc<Self>,
        trip: &Trip<'_>,
    ) -> Result<OneShotOutcome, ContainerError> {
        let vessel = Vessel::of(self, &self.images.pipeline);
        let recipe = Recipe {
            name: trip.name.to_owned(),
            args: trip.args.iter().map(OsString::from).collect(),
            environment: trip.environment.clone(),
            // Nobody waits until it serves.
            readiness: Readiness::Health(local(PIPELINE)),
            graceful: Signal::TERM,
            body: Body::Container(Box::new(vessel.clone())),
        };
        vessel.run(recipe, trip.within).await
    }
}
