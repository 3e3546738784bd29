//! Dispatches every operation of a stack to its backend: processes or containers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::containers::{self, PIPELINE_PORT};
use super::processes;
use super::running_database::RunningDatabase;
use crate::containers::{Network, connect_with_images};
use crate::launch::OneShotOutcome;
use crate::services::{OneShot, ServiceError, ServiceSpec};
use crate::spec::{ServiceTemplate, StackSpec};
use crate::stack_dir::{StackDir, StackDirError};
use crate::stack_error::StackError;
use crate::stack_info::StackKind;
use crate::system::Environment;

/// What the services of a stack run on.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// This machine: every service is a child of this process.
    Processes,
    /// A network of containers; only the stand-ins are a child of this process.
    Containers(Arc<Network>),
}

impl Backend {
    /// Creates what must exist before the first service starts.
    pub(crate) async fn create(spec: &StackSpec, stack_dir: &StackDir) -> Result<Self, StackError> {
        match spec.kind {
            StackKind::Processes => Ok(Self::Processes),
            StackKind::Containers => {
                let docker = connect_with_images(&spec.images).await?;
                // The state file must announce containers before the first one is created.
                stack_dir
                    .state()
                    .expect_containers(stack_dir.id())
                    .map_err(StackDirError::from)?;
                let network = Network::create(
                    docker,
                    &spec.images,
                    stack_dir.id(),
                    stack_dir.directory(),
                    stack_dir.creation_lock(),
                )
                .await?;
                Ok(Self::Containers(Arc::new(network)))
            }
        }
    }

    /// The kind of stack, as `stack.json` names it.
    pub(crate) fn kind(&self) -> StackKind {
        match self {
            Self::Processes => StackKind::Processes,
            Self::Containers(_) => StackKind::Containers,
        }
    }

    /// The address on which the stand-ins listen; the pipeline and this process both reach it.
    pub(crate) fn standins_bind_address(&self) -> IpAddr {
        match self {
            Self::Processes => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Containers(network) => network.gateway(),
        }
    }

    /// The address that a service of the pipeline binds to be reachable at `public`.
    pub(crate) fn bind_address(&self, public: SocketAddr) -> SocketAddr {
        match self {
            Self::Processes => public,
            Self::Containers(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, PIPELINE_PORT)),
        }
    }

    /// Starts PostgreSQL on a port of this machine.
    pub(crate) async fn start_database(
        &self,
        stack_dir: &Arc<StackDir>,
        port: u16,
        app_role: &str,
    ) -> Result<RunningDatabase, StackError> {
        match self {
            Self::Processes => processes::start_database(stack_dir, port, app_role).await,
            Self::Containers(network) => {
                containers::start_database(network, stack_dir, port, app_role).await
            }
        }
    }

    /// The description of a service of the pipeline that is reachable at an address.
    pub(crate) fn service_spec(
        &self,
        template: &ServiceTemplate,
        name: String,
        spec: &StackSpec,
        environment: &Environment,
        address: SocketAddr,
    ) -> ServiceSpec {
        let bound = self.bind_address(address).to_string();
        let mut environment = environment.clone();
        environment.insert(template.address_variable.to_owned(), bound);
        match self {
            Self::Processes => processes::service_spec(template, name, spec, environment, address),
            Self::Containers(network) => {
                containers::service_spec(network, template, name, environment, address)
            }
        }
    }

    /// Runs a command of the pipeline until it exits or its timeout passes.
    pub(crate) async fn run_one_shot(
        &self,
        spec: &StackSpec,
        stack_dir: &StackDir,
        one_shot: &OneShot<'_>,
    ) -> Result<OneShotOutcome, ServiceError> {
        match self {
            Self::Processes => one_shot.run(&spec.pipeline, stack_dir).await,
            Self::Containers(network) => Ok(containers::run_one_shot(network, one_shot).await?),
        }
    }
}
