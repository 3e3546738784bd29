//! What the parts of a stack run on: one shape, and a file for each kind.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::containers::{self, Network, PIPELINE};
use super::credentials::Credentials;
use super::info::StackKind;
use super::process::{Errand, OneShotOutcome, Process, ProcessError, Recipe};
use super::processes;
use super::site::{StackDir, StackDirError};
use super::spec::{ServiceTemplate, StackSpec};
use super::start::StackError;
use super::system::Environment;

/// What the parts of a stack run on.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// This machine: every part is a child of this process.
    Processes,
    /// A network of containers; the stand-ins alone are a child of this process.
    Containers(Arc<Network>),
}

/// A running database, before it has a schema.
pub(crate) struct Database {
    pub(crate) process: Process,
    /// Its addresses and passwords, for those who run on the same ground.
    pub(crate) credentials: Credentials,
}

/// A run of the pipeline that comes to its end.
pub(crate) struct Trip<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a [&'a str],
    pub(crate) environment: &'a Environment,
    pub(crate) within: Duration,
}

impl Ground {
    /// Makes what there must be before the first part.
    pub(crate) async fn prepare(spec: &StackSpec, site: &StackDir) -> Result<Self, StackError> {
        match spec.kind {
            StackKind::Processes => Ok(Self::Processes),
            StackKind::Containers => {
                let docker = containers::find(&spec.images).await?;
                // Whoever finds the ledger looks for containers before there are any.
                site.ledger()
                    .expect_containers(site.id())
                    .map_err(StackDirError::from)?;
                let network = Network::create(docker, site, &spec.images).await?;
                Ok(Self::Containers(Arc::new(network)))
            }
        }
    }

    /// What the card says that the stack runs on.
    pub(crate) fn kind(&self) -> StackKind {
        match self {
            Self::Processes => StackKind::Processes,
            Self::Containers(_) => StackKind::Containers,
        }
    }

    /// Where the stand-ins listen, so that the pipeline and we reach them under one address.
    pub(crate) fn standins_listen(&self) -> IpAddr {
        match self {
            Self::Processes => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Containers(network) => network.gateway(),
        }
    }

    /// Where a part of the pipeline is told to listen that we reach at this address.
    pub(crate) fn listens(&self, reached: SocketAddr) -> SocketAddr {
        match self {
            Self::Processes => reached,
            Self::Containers(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, PIPELINE)),
        }
    }

    /// Starts PostgreSQL on a port of this machine.
    pub(crate) async fn database(
        &self,
        site: &Arc<StackDir>,
        port: u16,
        app_role: &str,
    ) -> Result<Database, StackError> {
        match self {
            Self::Processes => processes::database(site, port, app_role).await,
            Self::Containers(network) => network.database(site, port, app_role).await,
        }
    }

    /// How to run a part of the pipeline that we reach at an address.
    pub(crate) fn part(
        &self,
        part: &ServiceTemplate,
        name: String,
        spec: &StackSpec,
        environment: &Environment,
        address: SocketAddr,
    ) -> Recipe {
        match self {
            Self::Processes => processes::part(part, name, spec, environment, address),
            Self::Containers(network) => network.part(part, name, environment, address),
        }
    }

    /// Runs the pipeline's program beside the stack's parts, until it ends or its time is over.
    pub(crate) async fn trip(
        &self,
        spec: &StackSpec,
        site: &StackDir,
        trip: &Trip<'_>,
    ) -> Result<OneShotOutcome, ProcessError> {
        match self {
            Self::Processes => {
                let errand = Errand {
                    name: trip.name,
                    program: &spec.pipeline.program,
                    args: &spec.pipeline.with(trip.args),
                    environment: trip.environment,
                };
                errand.run(site, trip.within).await
            }
            Self::Containers(network) => Ok(network.trip(trip).await?),
        }
    }
}
