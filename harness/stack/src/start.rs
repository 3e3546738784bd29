//! Starts a stack: independent services start at the same time.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cutover_fault::LinkClient;
use futures::future::try_join_all;
use rustix::process::Signal;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex as AsyncMutex;

use super::address::{local, origin};
use super::backend::Backend;
use super::containers;
use super::credentials::Credentials;
use super::launch::LaunchSpec;
use super::links::{DirectAddresses, StackLinks};
use super::ports::{NoPort, Ports};
use super::postgres::Installation;
use super::process_identity::ProcessIdentity;
use super::readiness::{Readiness, endpoints_in};
use super::services::{Child, OneShot, Service, ServiceRuntime, ServiceSpec};
use super::spec::{CommandLine, Images, StackSpec};
use super::stack::Stack;
use super::stack_dir::{StackDir, StackDirError};
use super::stack_error::StackError;
use super::stack_info::{ProcessInfo, StackInfo, StackKind};
use super::state::write_private;
use super::system::{Endpoints, Environment, ServiceView, StandinPlacement};
use super::workers::{Environments, Worker, WorkerPool};

/// The stand-in through which the others are scripted.
const CONTROL: &str = "control";

/// How often a stack is started with other ports after a port conflict.
const MAX_ATTEMPTS: usize = 3;

/// How long the migration may take.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks that the prerequisites of a kind of stack are installed. Blocking.
pub fn preflight(kind: StackKind, images: &Images) -> Result<(), StackError> {
    match kind {
        StackKind::Processes => Installation::find().map(drop)?,
        StackKind::Containers => containers::preflight(images)?,
    }
    Ok(())
}

impl Stack {
    /// Starts a stack and waits until all its services are ready.
    pub async fn start(spec: &StackSpec) -> Result<Self, StackError> {
        let mut attempt = 1;
        loop {
            // Boxed: the future is large, and so would be every future that awaits it.
            match Box::pin(StackBuilder::new(spec)?.start()).await {
                Err(error) if error.is_port_conflict() && attempt < MAX_ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// A stack that is being started; dropping it stops what was started.
struct StackBuilder<'a> {
    spec: &'a StackSpec,
    stack_dir: Arc<StackDir>,
    ports: Ports,
    credentials: Credentials,
    timer: StepTimer,
}

impl<'a> StackBuilder<'a> {
    fn new(spec: &'a StackSpec) -> Result<Self, StackError> {
        let stack_dir = Arc::new(StackDir::create(&spec.root)?);
        Ok(Self {
            spec,
            timer: StepTimer::start(stack_dir.id()),
            stack_dir,
            ports: Ports::default(),
            credentials: spec.system.credentials().map_err(StackError::System)?,
        })
    }

    async fn start(mut self) -> Result<Stack, StackError> {
        let backend = Backend::create(self.spec, &self.stack_dir).await?;
        self.timer.step("backend");
        let api_address = local(self.ports.take()?);
        let api_url = origin(api_address)?;
        // Not `try_join`: if one fails, the other must finish before the directory is removed.
        let (database, standins) = tokio::join!(
            self.start_database(&backend),
            self.start_standins(backend.standins_bind_address())
        );
        let ((postgres, credentials), (standins, endpoints)) = (database?, standins?);
        self.credentials = credentials;
        let direct = DirectAddresses {
            credentials: &self.credentials,
            standins: &endpoints,
            api: &api_url,
        };
        let listen = backend.standins_bind_address();
        let links = StackLinks::open(self.spec.links, listen, &direct)?;
        let environments = environments(self.spec, &links, &direct)?;
        let api = self.api(&backend, &environments.api, api_address)?;
        let worker_pool = WorkerPool::new(
            self.spec.clone(),
            Arc::clone(&self.stack_dir),
            backend,
            environments,
        );
        let (workers, ()) = tokio::try_join!(
            try_join_all((0..self.spec.workers).map(|_| worker_pool.spawn(&self.ports))),
            async { Ok(api.start().await?) },
        )?;
        self.timer.step("pipeline");

        let info = StackInfo {
            id: self.stack_dir.id().to_owned(),
            kind: worker_pool.backend.kind(),
            directory: self.stack_dir.directory().to_owned(),
            started_at: OffsetDateTime::now_utc(),
            api: process_info(&api, Some(api_url.clone())),
            workers: workers.iter().map(worker_info).collect(),
            postgres: process_info(&postgres, None),
            standin_process: process_info(&standins, endpoints.get(CONTROL).cloned()),
            client_url: links.api(LinkClient::User, &api_url),
            endpoints,
            credentials: self.credentials,
            api_url,
        };
        info.write().map_err(StackDirError::from)?;
        Ok(Stack {
            info,
            postgres,
            standins,
            api,
            workers: Mutex::new(workers),
            scaling: AsyncMutex::new(()),
            worker_pool,
            links,
            ports: self.ports,
            dir: self.stack_dir,
        })
    }

    /// The API, not yet started.
    fn api(
        &self,
        backend: &Backend,
        environment: &Environment,
        address: SocketAddr,
    ) -> Result<Service, StackError> {
        let (template, name) = (&self.spec.api, "api".to_owned());
        let spec = backend.service_spec(template, name, self.spec, environment, address);
        Ok(Service::new(spec, Arc::clone(&self.stack_dir))?)
    }

    /// Starts the database, migrates it, and adds its credentials to those of the stack.
    async fn start_database(
        &self,
        backend: &Backend,
    ) -> Result<(Service, Credentials), StackError> {
        let port = self.ports.take()?;
        let database = backend
            .start_database(&self.stack_dir, port, self.spec.app_role)
            .await?;
        self.timer.step("postgres");
        let mut credentials = self.credentials.clone();
        credentials.extend(database.credentials);
        let environment = self.spec.system.migration_environment(&credentials);
        let migration = OneShot {
            name: "migrate",
            args: &[self.spec.migration],
            environment: &environment.map_err(StackError::System)?,
            timeout: MIGRATION_TIMEOUT,
        };
        let outcome = backend.run_one_shot(self.spec, &self.stack_dir, &migration);
        migration.require_success(outcome.await?)?;
        self.timer.step("migrate");
        Ok((database.service, credentials))
    }

    /// Starts the stand-ins and reads their endpoints; they keep their ports across restarts.
    async fn start_standins(&self, bind: IpAddr) -> Result<(Service, Endpoints), StackError> {
        let names = self.spec.standin_names.iter();
        let ports = names.map(|name| Ok(((*name).to_owned(), self.ports.take()?)));
        let placement = StandinPlacement {
            bind,
            ports: ports.collect::<Result<_, NoPort>>()?,
            storage: self.stack_dir.storage(),
        };
        let system = &self.spec.system;
        let settings = system
            .standin_settings(&self.credentials, placement)
            .map_err(StackError::System)?;
        let service = start_standins(&self.spec.standins, &settings, &self.stack_dir).await?;
        self.timer.step("standins");
        let endpoints = endpoints_in(service.log_path(), service.log_start());
        Ok((service, endpoints.ok_or(StackError::NoEndpoints)?))
    }
}

/// The environments of the services, which reach each other through links.
fn environments(
    spec: &StackSpec,
    links: &StackLinks,
    direct: &DirectAddresses<'_>,
) -> Result<Environments, StackError> {
    let of = |client| {
        let view = ServiceView {
            credentials: &links.credentials(client, direct.credentials)?,
            standins: &links.standins(client, direct.standins),
            direct_standins: direct.standins,
            callback_base: &links.api(LinkClient::Parser, direct.api),
        };
        let environment = spec.system.service_environment(&view);
        environment.map_err(StackError::System)
    };
    Ok(Environments {
        api: of(LinkClient::Api)?,
        worker: of(LinkClient::Worker)?,
    })
}

/// Starts the stand-ins with these settings on their standard input, and waits until they are ready.
pub(crate) async fn start_standins(
    program: &CommandLine,
    settings: &Value,
    stack_dir: &Arc<StackDir>,
) -> Result<Service, StackError> {
    let file = stack_dir.directory().join("standins.json");
    write_private(&file, settings).map_err(StackDirError::from)?;
    let service_spec = ServiceSpec {
        launch: LaunchSpec {
            name: "standins".to_owned(),
            args: program.args.clone(),
            environment: Environment::new(),
            stop_signal: Signal::TERM,
        },
        readiness: Readiness::Endpoints,
        runtime: ServiceRuntime::Child(Child {
            input: Some(file),
            ..Child::new(&program.program)
        }),
    };
    let service = Service::new(service_spec, Arc::clone(stack_dir))?;
    service.start().await?;
    Ok(service)
}

fn process_info(service: &Service, url: Option<url::Url>) -> ProcessInfo {
    let never_started = ProcessIdentity {
        pid: 0,
        started: None,
    };
    ProcessInfo {
        name: service.name().to_owned(),
        identity: service.identity().unwrap_or(never_started),
        url,
        log: service.log_path().to_owned(),
    }
}

fn worker_info(worker: &Arc<Worker>) -> ProcessInfo {
    process_info(&worker.service, Some(worker.url.clone()))
}

/// Logs the time since the beginning of the start after each step.
struct StepTimer {
    stack: String,
    started: Instant,
}

impl StepTimer {
    fn start(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            started: Instant::now(),
        }
    }

    fn step(&self, step: &str) {
        let elapsed = self.started.elapsed();
        tracing::debug!(stack = %self.stack, step, ?elapsed, "finished a step of the stack's start");
    }
}
